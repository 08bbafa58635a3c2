//! Whose form strace's is, where its versions differ.

/// A version of strace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StraceForm {
    /// 6.1, as Debian 12 has it.
    V6_1,
    /// The newest that is known here: 7.2.
    #[default]
    Newest,
}
