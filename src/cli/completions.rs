//! `traceloop completions SHELL`: what a shell needs to complete our verbs, options and what can stand there now. It
//! asks this program each time (`offered`), so that it knows the same command line, and the dumps and recordings of then.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::Args;
use clap_complete::{Shell, env::Shells};

use super::{End, offered::VARIABLE};

/// Print the completions for a shell, to be sourced or installed
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// bash's. Words are split at blanks alone: readline ends them at = and : as well, where ours go on.
const BASH: &str = r#"_traceloop() {
    local line=${COMP_LINE:0:COMP_POINT} words current behind IFS=$' \t\n'
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    current=${words[-1]}
    IFS=$'\013'
    COMPREPLY=($(_CLAP_IFS=$IFS _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1)) VARIABLE=bash \
        traceloop -- "${words[@]}" 2>/dev/null))
    if [[ $COMP_WORDBREAKS == *[=:]* ]]; then
        behind=${current##*[=:]}
        COMPREPLY=("${COMPREPLY[@]#"${current%"$behind"}"}")
    fi
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=,:] ]]; then
        compopt -o nospace
    fi
}
complete -o bashdefault -o default -F _traceloop traceloop
"#;

/// What zsh's completions, found by the name of their file, do when they are asked for the first time.
const ZSH_FIRST: &str = r#"
if [ "$funcstack[1]" = "_traceloop" ]; then
    _clap_dynamic_completer_traceloop "$@"
fi
"#;

impl Completions {
    pub(super) fn run(self) -> Result<End> {
        // Into memory first: a reader that has seen enough is no panic.
        io::stdout().write_all(&script(self.shell)?).context("print the completions")?;
        Ok(End::Done)
    }
}

fn script(shell: Shell) -> Result<Vec<u8>> {
    if shell == Shell::Bash {
        return Ok(BASH.replace("VARIABLE", VARIABLE).into());
    }
    let (name, mut text) = (shell.to_string(), Vec::new());
    let shells = Shells::builtins();
    let known = shells.completer(&name).with_context(|| format!("there are no completions for {name}"))?;
    known.write_registration(VARIABLE, "traceloop", "traceloop", "traceloop", &mut text)?;
    if shell == Shell::Zsh {
        text.extend_from_slice(ZSH_FIRST.as_bytes());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_asks_this_program() {
        for shell in Shell::value_variants() {
            let text = String::from_utf8(script(*shell).unwrap()).unwrap();
            assert!(text.contains(VARIABLE) && text.contains("traceloop"), "{shell}: {text}");
        }
        let zsh = String::from_utf8(script(Shell::Zsh).unwrap()).unwrap();
        assert!(
            zsh.starts_with("#compdef traceloop") && zsh.contains("function _clap_dynamic_completer_traceloop()"),
            "{zsh}"
        );
    }
}
