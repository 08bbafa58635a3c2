//! How this kernel tells of io_uring: which tracepoints it has, and in which form their arguments come.
//!
//! The forms are bpf/uring.h's. BTF tells the tracepoints' arguments by number and type; one that is
//! none of the known forms is left alone, and io_uring is then not told.

use std::fmt;

use libbpf_rs::btf::{
    Btf, BtfType, ReferencesType,
    types::{FuncProto, Ptr, Struct, Typedef},
};

use crate::skel::OpenTraceloopSkel;

/// The arguments of the tracepoint of a submission, as enum uring_submits has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the arguments")]
pub enum Submits {
    Request = 1,
    RingRequest = 2,
    Ring = 3,
}

/// The arguments of the tracepoint of a completion, as enum uring_completes has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the arguments")]
pub enum Completes {
    Cqe = 1,
    Request = 2,
    Ring = 3,
    RingFlags = 4,
}

/// The tracepoint of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Submission {
    pub(super) arguments: Submits,
    /// Whether it is io_uring_submit_req, as from Linux 6.4 on.
    is_req: bool,
}

/// What this kernel tells of io_uring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uring {
    pub(super) submits: Option<Submission>,
    pub(super) completes: Option<Completes>,
}

/// What an argument is, as far as forms differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Argument {
    /// A pointer to io_kiocb.
    Request,
    /// A pointer to io_uring_cqe.
    Cqe,
    /// Another pointer.
    Pointer,
    Number,
}

impl Uring {
    /// Nothing is told.
    pub(super) const NONE: Self = Self { submits: None, completes: None };

    /// Asks the kernel's BTF.
    pub fn probe() -> Self {
        let Ok(btf) = Btf::from_vmlinux() else { return Self::NONE };
        let of = |name| arguments(&btf, name);
        let submission = |name, is_req| {
            let arguments = submits(&of(name)?)?;
            Some(Submission { arguments, is_req })
        };
        Self {
            submits: submission("btf_trace_io_uring_submit_req", true)
                .or_else(|| submission("btf_trace_io_uring_submit_sqe", false)),
            completes: of("btf_trace_io_uring_complete").as_deref().and_then(completes),
        }
    }

    /// Whether submissions or completions are told.
    pub fn is_told(&self) -> bool {
        self.submits.is_some() || self.completes.is_some()
    }

    /// Whether both are told.
    pub fn is_whole(&self) -> bool {
        self.submits.is_some() && self.completes.is_some()
    }

    /// Loads the programs whose tracepoints there are.
    pub(super) fn choose(&self, open: &mut OpenTraceloopSkel<'_>) {
        let is_req = self.submits.map(|submits| submits.is_req);
        open.progs.uring_req.set_autoload(is_req == Some(true));
        open.progs.uring_sqe.set_autoload(is_req == Some(false));
        open.progs.uring_complete.set_autoload(self.completes.is_some());
    }
}

impl fmt::Display for Uring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let submits = match self.submits {
            Some(Submission { is_req: true, .. }) => "io_uring_submit_req",
            Some(_) => "io_uring_submit_sqe",
            None => "no tracepoint of submissions that is known",
        };
        let completes = if self.completes.is_some() { "io_uring_complete" } else { "none of completions" };
        write!(f, "{submits}, {completes}")?;
        match (self.submits, self.completes) {
            (Some(Submission { arguments: Submits::Ring, .. }), _) => {
                f.write_str("; this kernel tells completions by user_data alone, and nothing of polled rings")
            }
            (Some(_), Some(Completes::Ring | Completes::RingFlags)) => {
                f.write_str("; this kernel tells completions by user_data alone")
            }
            _ => Ok(()),
        }
    }
}

/// A tracepoint's arguments, without the first, which is not for programs.
fn arguments(btf: &Btf<'_>, name: &str) -> Option<Vec<Argument>> {
    let pointer = Ptr::try_from(btf.type_by_name::<Typedef<'_>>(name)?.referenced_type()).ok()?;
    let prototype = FuncProto::try_from(pointer.referenced_type()).ok()?;
    prototype.iter().skip(1).map(|parameter| Some(argument(btf.type_by_id(parameter.ty)?))).collect()
}

fn argument(kind: BtfType<'_>) -> Argument {
    let Ok(pointer) = Ptr::try_from(kind.skip_mods_and_typedefs()) else { return Argument::Number };
    let behind = Struct::try_from(pointer.referenced_type().skip_mods_and_typedefs()).ok();
    match behind.and_then(|behind| behind.name().map(std::ffi::OsStr::to_owned)) {
        Some(name) if name == "io_kiocb" => Argument::Request,
        Some(name) if name == "io_uring_cqe" => Argument::Cqe,
        _ => Argument::Pointer,
    }
}

fn submits(arguments: &[Argument]) -> Option<Submits> {
    use Argument::{Number, Pointer, Request};
    match arguments {
        [Request, ..] => Some(Submits::Request),
        [Pointer, Pointer | Request, Number, Number, ..] => Some(Submits::RingRequest),
        [Pointer, Number, Number, ..] => Some(Submits::Ring),
        _ => None,
    }
}

fn completes(arguments: &[Argument]) -> Option<Completes> {
    use Argument::{Cqe, Number, Pointer, Request};
    match arguments {
        [Pointer, Pointer | Request, Cqe, ..] => Some(Completes::Cqe),
        [Pointer, Pointer | Request, Number, Number, Number, ..] => Some(Completes::Request),
        [Pointer, Number, Number, Number, ..] => Some(Completes::RingFlags),
        [Pointer, Number, Number] => Some(Completes::Ring),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Argument::{Cqe, Number, Pointer, Request},
        *,
    };

    #[test]
    fn the_forms_of_known_kernels() {
        // 5.10, 5.15, 6.1, 6.18.
        assert_eq!(submits(&[Pointer, Number, Number, Number, Number]), Some(Submits::Ring));
        assert_eq!(submits(&[Pointer, Pointer, Number, Number, Number, Number, Number]), Some(Submits::RingRequest));
        assert_eq!(submits(&[Request, Number]), Some(Submits::Request));
        assert_eq!(submits(&[Request]), Some(Submits::Request));
        assert_eq!(completes(&[Pointer, Number, Number]), Some(Completes::Ring));
        assert_eq!(completes(&[Pointer, Number, Number, Number]), Some(Completes::RingFlags));
        assert_eq!(completes(&[Pointer, Pointer, Number, Number, Number, Number, Number]), Some(Completes::Request));
        assert_eq!(completes(&[Pointer, Pointer, Cqe]), Some(Completes::Cqe));
        assert_eq!((submits(&[Number]), completes(&[Cqe])), (None, None));
    }
}
