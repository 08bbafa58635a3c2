//! Why something was not shipped, and whether it is worth another try.

use anyhow::{Result, anyhow};

/// Why a dump was not shipped.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It may go another time: the sink is away, full, or refuses us as it will not when somebody has mended it.
    Later(anyhow::Error),
    /// The sink will never take this one.
    Never(anyhow::Error),
    /// The daemon does not have it any more.
    Gone,
}

/// What became of a dump at a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shipped {
    /// It is there; so many bytes were sent for it.
    There(u64),
    /// It is none for this sink.
    Passed,
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Later(error)
    }
}

const RIGHTS: &str = "the key may not do that: who ships needs PutObject and GetObject below the prefix, who reads ListBucket and GetObject";

/// What stores answer, and what to do about it.
const ADVICE: [(&str, &str); 18] = [
    ("RequestTimeTooSkewed", "this machine's clock and the store's differ: set the clock"),
    ("SignatureDoesNotMatch", "the secret key is not the one of this access key: mend AWS_SECRET_ACCESS_KEY"),
    ("InvalidAccessKeyId", "the store does not know this access key: mend AWS_ACCESS_KEY_ID"),
    ("NotSignedUp", "the store does not know this access key: mend AWS_ACCESS_KEY_ID"),
    ("ExpiredToken", "the session's credentials have expired: renew them"),
    ("NoSuchBucket", "the bucket is not there: make it, or mend the store's URL"),
    ("ContainerNotFound", "the container is not there: make it, or mend the store's URL"),
    ("AuthenticationFailed", "the store refuses the key: mend AZURE_STORAGE_ACCOUNT_KEY, or the clock"),
    ("QuotaExceeded", "the store is full: make room"),
    ("No space left", "the store is full: make room"),
    ("InsufficientStorage", "the store is full: make room"),
    ("AccessDenied", RIGHTS),
    ("lacked the necessary privileges", RIGHTS),
    ("Object at location", "there is nothing of this name: mend the URL"),
    ("Permission denied", "this user may not do that: mend its owner or mode"),
    ("dns error", "its name is not known: mend the URL, or the resolver"),
    (
        "169.254.169.254",
        "no credentials are set, and the machine has none of its own: set AWS_ACCESS_KEY_ID or its like",
    ),
    ("Connection refused", "nobody listens there: is the store up, and the endpoint right?"),
];

/// What a sink said, on one line, with what to do where that is known.
pub(crate) fn sentence(text: &str) -> String {
    let known = ADVICE.iter().find(|(word, _)| text.contains(word)).map(|(_, advice)| *advice);
    let said = match (tag(text, "Code"), tag(text, "Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let said: String = said.chars().take(300).collect();
    match known {
        Some(advice) => format!("{advice} ({said})"),
        None => said,
    }
}

/// What stands in an element of an answer.
fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(inside, _)| inside.trim()).filter(|inside| !inside.is_empty())
}

/// The chain of an error on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Many print their cause, too.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// A failure of a store, in a sentence.
pub(crate) fn of_store<T>(doing: &str, result: Result<T, object_store::Error>) -> Result<T> {
    result.map_err(|error| anyhow!("{doing}: {}", sentence(&chain(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_store_says_becomes_a_line_with_what_to_do() {
        let skewed = "Error performing PUT http://s3/a in 3ms - Server returned non-2xx status code: 403 Forbidden: <?xml \
                      version=\"1.0\"?>\n<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too \
                      large</Message></Error>";
        let told = sentence(skewed);
        assert_eq!(
            told,
            "this machine's clock and the store's differ: set the clock (RequestTimeTooSkewed: The difference is too large)"
        );
        assert!(sentence("x <Code>NoSuchBucket</Code>").starts_with("the bucket is not there"));
        assert_eq!(sentence("a\nb"), "a b");
        assert!(sentence(&"x".repeat(9999)).len() < 400);
    }
}
