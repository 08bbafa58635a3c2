//! What kubectl says when it may not, cannot, or finds nothing: in a sentence with what to do.

use crate::process::Said;

/// A right that is missing, and the role of systemd/traceloop.rbac.yaml that has it.
const ROLES: [(&str, &str); 4] = [
    ("pods/exec", "the role traceloop-reader in the recorders' namespace"),
    ("pods", "the roles traceloop-reader in the recorders' namespace, and view in the pod's"),
    ("nodes", "the cluster role traceloop-nodes"),
    ("namespaces", "the cluster role view"),
];

/// Whether what was asked for is not there.
pub(crate) fn is_not_found(said: &Said) -> bool {
    said.code != 0 && said.error.contains("(NotFound)")
}

/// Why kubectl failed.
pub(crate) fn sentence(said: &Said) -> String {
    let error = said.error.trim();
    if let Some((verb, resource, namespace)) = forbidden(error) {
        let role = ROLES.iter().find(|(name, _)| *name == resource).map_or("a role that has it", |(_, role)| *role);
        let place = namespace.map_or_else(String::new, |namespace| format!(" in the namespace {namespace}"));
        return format!("you may not {verb} {resource}{place}: {role} has that right");
    }
    if error.contains("executable file not found") || error.contains("no such file or directory") {
        return format!("the recorder's image has no /usr/bin/traceloop: {}", last_line(error));
    }
    // clap's words on the node.
    if error.contains("unexpected argument") || error.contains("unrecognized subcommand") {
        return format!(
            "its traceloop is another version, `kubectl traceloop nodes` shows which: {}",
            last_line(error)
        );
    }
    if error.is_empty() {
        return format!("kubectl ended with {}", said.code);
    }
    last_line(error).to_owned()
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

/// `User "dev" cannot create resource "pods/exec" in API group "" in the namespace "traceloop"`.
fn forbidden(error: &str) -> Option<(&str, &str, Option<&str>)> {
    let (_, rest) = error.split_once("(Forbidden)")?;
    let (_, rest) = rest.split_once(" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once('"')?;
    let namespace = rest.split_once(" in the namespace \"").and_then(|(_, rest)| Some(rest.split_once('"')?.0));
    Some((verb, resource, namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: &str) -> Said {
        Said { error: error.to_owned(), code: 1, ..Said::default() }
    }

    #[test]
    fn a_missing_right_is_named_with_the_role_that_has_it() {
        let exec = said(
            "Error from server (Forbidden): pods \"traceloop-x\" is forbidden: User \"dev\" cannot create resource \
             \"pods/exec\" in API group \"\" in the namespace \"traceloop\"\n",
        );
        let told = sentence(&exec);
        assert!(told.contains("may not create pods/exec in the namespace traceloop"), "{told}");
        assert!(told.contains("traceloop-reader"), "{told}");
        let nodes = said(
            "Error from server (Forbidden): nodes is forbidden: User \"dev\" cannot list resource \"nodes\" in API group \
             \"\" at the cluster scope",
        );
        assert!(sentence(&nodes).contains("you may not list nodes: the cluster role traceloop-nodes"));
    }

    #[test]
    fn the_rest_is_told_as_kubectl_does() {
        let gone = said("Error from server (NotFound): pods \"cart-9\" not found\n");
        assert!(is_not_found(&gone) && sentence(&gone).contains("cart-9"));
        assert!(!is_not_found(&Said::default()));
        assert_eq!(sentence(&said("")), "kubectl ended with 1");
        assert!(sentence(&said("error: unrecognized subcommand 'stuck'")).contains("another version"));
        assert!(sentence(&said("The connection to the server 10.0.0.1:6443 was refused")).contains("refused"));
    }
}
