//! The address in a call's arguments, as people write it: `127.0.0.1:6392`, `/run/app.sock`.

use crate::model::Call;

/// The peer or own address that a call names.
pub(super) fn of(call: &Call) -> Option<String> {
    let text = &call.text;
    let quoted = |key: &str| {
        let rest = &text[text.find(key)? + key.len()..];
        rest.split('"').next().map(str::to_owned)
    };
    if let Some(path) = quoted("sun_path=\"") {
        return Some(path);
    }
    if let Some(name) = quoted("sun_path=@\"") {
        return Some(format!("@{name}"));
    }
    let port = |key: &str| {
        let rest = &text[text.find(key)? + key.len()..];
        rest.split(')').next().map(str::to_owned)
    };
    if let Some(host) = quoted("inet_addr(\"") {
        return Some(format!("{host}:{}", port("sin_port=htons(")?));
    }
    let host = quoted("inet_pton(AF_INET6, \"")?;
    Some(format!("[{host}]:{}", port("sin6_port=htons(")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let address = |text: &str| of(&Call { text: text.to_owned(), ..Call::of("connect") });
        let v4 = "3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"10.0.0.1\")}, 16";
        assert_eq!(address(v4).as_deref(), Some("10.0.0.1:80"));
        let v6 = "3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_scope_id=0}, 28";
        assert_eq!(address(v6).as_deref(), Some("[::1]:80"));
        assert_eq!(address("3, {sa_family=AF_UNIX, sun_path=\"/run/a\"}, 8").as_deref(), Some("/run/a"));
        assert_eq!(address("3, {sa_family=AF_UNIX, sun_path=@\"a\"}, 8").as_deref(), Some("@a"));
        assert_eq!(address("3, NULL, 8"), None);
    }
}
