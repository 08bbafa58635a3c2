//! kubectl as a process: what it prints within a deadline, or with our terminal.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::arguments::Options;

/// What kubectl printed and how it ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) error: String,
    /// Its exit code; of the program that it ran in a pod, that one's.
    pub(crate) code: u8,
}

/// kubectl with the user's context.
pub(crate) fn kubectl(options: &Options) -> Command {
    let mut command = Command::new(std::env::var_os("KUBECTL").unwrap_or_else(|| "kubectl".into()));
    for (name, value) in [("--context", &options.context), ("--kubeconfig", &options.kubeconfig)] {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    }
    command
}

/// Runs it until it ends, but no longer than that.
pub(crate) fn ask(mut command: Command, deadline: Duration) -> Result<Said> {
    let until = Instant::now() + deadline;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("run {}", command.get_program().display()))?;
    let (out, error) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let left = || until.saturating_duration_since(Instant::now());
    let texts = out.recv_timeout(left()).and_then(|out| Ok((out, error.recv_timeout(left())?)));
    let Ok((out, error)) = texts else {
        let _ = child.kill();
        let _ = child.wait();
        bail!("no answer within {} s", deadline.as_secs_f64());
    };
    Ok(Said { out, error, code: code(&mut child)? })
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (send, text) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before an error is told all the same.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    text
}

/// Runs it with our output; what it says of itself is given back.
pub(crate) fn pass_on(mut command: Command, stdin: Stdio) -> Result<Said> {
    let mut child = command
        .stdin(stdin)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("run {}", command.get_program().display()))?;
    let error = collect_and_print(child.stderr.take());
    let code = code(&mut child)?;
    Ok(Said { error: error.recv().unwrap_or_default(), code, ..Said::default() })
}

/// kubectl's own word of a refusal is told in ours later; everything else goes on as it comes.
fn collect_and_print(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    use std::io::{BufRead, BufReader};
    let (send, text) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = String::new();
        for line in pipe.into_iter().flat_map(|pipe| BufReader::new(pipe).split(b'\n')) {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.starts_with("Error from server") || line.starts_with("error:") {
                kept += &line;
                kept.push('\n');
            } else if !line.starts_with("command terminated with exit code") && !line.starts_with("Unable to use a TTY")
            {
                eprintln!("{line}");
            }
        }
        let _ = send.send(kept);
    });
    text
}

fn code(child: &mut Child) -> Result<u8> {
    let status = child.wait().context("wait for kubectl")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
