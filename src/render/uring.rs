//! A request of io_uring's in words: `io_uring: #7 IORING_OP_READ fd=5 ... submitted`. No system call looks so.

use std::fmt::Write as _;

use super::strace;
use crate::model::{Step, Uring};

/// The words, as the text format writes them.
pub(super) fn words(request: &Uring) -> String {
    let mut text = String::from("io_uring: ");
    if let Some(number) = request.number {
        let _ = write!(text, "#{number} ");
    }
    if let Some(op) = &request.op {
        let _ = write!(text, "{op} ");
    }
    if let Step::Submitted { fields: Some(fields) } = &request.step {
        for field in fields {
            let _ = write!(text, "{}={} ", field.name, field.text);
        }
    }
    let _ = write!(text, "user_data={:#x} ", request.user_data);
    match &request.step {
        Step::Submitted { .. } => text.push_str("submitted"),
        Step::Completed { text: result, flags, duration, .. } => {
            let _ = write!(text, "completed: {result}");
            if !flags.is_empty() {
                let _ = write!(text, " ({flags})");
            }
            if let Some(nanoseconds) = duration {
                strace::duration(&mut text, *nanoseconds);
            }
        }
    }
    text
}

/// Its name in a list of events.
pub(super) fn name(request: &Uring) -> &str {
    request.op.as_deref().unwrap_or("io_uring")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Field, Value};

    #[test]
    fn both_steps() {
        let mut request = Uring {
            ring: 1,
            number: Some(7),
            op: Some("IORING_OP_READ".into()),
            opcode: Some(22),
            user_data: 0x55,
            step: Step::Submitted {
                fields: Some(vec![Field { name: "fd", text: "5".into(), value: Value::Signed(5) }]),
            },
        };
        assert_eq!(words(&request), "io_uring: #7 IORING_OP_READ fd=5 user_data=0x55 submitted");
        request.step = Step::Completed {
            result: Err(5),
            text: "-EIO (Input/output error)".into(),
            flags: "".into(),
            duration: Some(1_500),
        };
        assert_eq!(
            words(&request),
            "io_uring: #7 IORING_OP_READ user_data=0x55 completed: -EIO (Input/output error) <0.000001>"
        );
        let unseen = Uring { number: None, op: None, opcode: None, ..request };
        assert!(words(&unseen).starts_with("io_uring: user_data=0x55 completed: "));
    }
}
