//! Building blocks for rows: the macros that turn a line of a table into a row.

/// A table of rows, one line a call:
/// `name [Class Class] (argument: Kind, argument: Kind) -> Ret;`, with `by CASES` before the `;` for
/// a multiplexed call. A length may name an argument of its row; one that the row lacks does not
/// compile. `argument @ 1` takes another register than its place says.
macro_rules! rows {
    ($($name:ident [$($class:ident)*] ($($arg:ident $(@ $register:literal)? : $kind:expr),* $(,)?)
       -> $ret:ident $(($what:expr))? $(by $cases:expr)?;)*) => {
        &[$({
            $crate::syscall::case::registers!($($arg)*);
            $crate::syscall::Row {
                name: $crate::syscall::case::plain(stringify!($name)),
                classes: &[$($crate::syscall::Class::$class),*],
                args: &[$($crate::syscall::case::arg!($arg $(@ $register)?, $kind)),*],
                ret: $crate::syscall::Ret::$ret $(($what))?,
                cases: $crate::syscall::case::optional!($($cases)?),
            }
        }),*]
    };
}

/// The cases of a multiplexed call: `cases!(by 1, mask 0xffff_ffff; [VALUES] (arguments) -> Ret; ...)`.
/// The arguments are the whole list; a value in brackets is a constant's token. With `words` behind the
/// mask the arguments are not in registers: the second register points to them. `as name` in front of
/// the list gives the call another name.
macro_rules! cases {
    (by $by:literal, mask $mask:literal $(, $words:ident)?;
     $([$($value:expr),* $(,)?] $(as $name:ident)? ($($arg:ident $(@ $register:literal)? : $kind:expr),* $(,)?)
       -> $ret:ident $(($what:expr))?;)*) => {
        $crate::syscall::Cases {
            arg: $by,
            mask: $mask,
            words: $crate::syscall::case::given!($($words)?),
            list: &[$({
                $crate::syscall::case::registers!($($arg)*);
                $crate::syscall::Case {
                    values: &[$($crate::syscall::words::value($value as i128)),*],
                    name: $crate::syscall::case::optional!($(stringify!($name))?),
                    args: &[$($crate::syscall::case::arg!($arg $(@ $register)?, $kind)),*],
                    ret: $crate::syscall::Ret::$ret $(($what))?,
                }
            }),*],
        }
    };
}

macro_rules! registers {
    () => {};
    ($($arg:ident)*) => {
        #[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms, reason = "argument names")]
        #[repr(u8)]
        enum Register { $($arg),* }
        $(#[allow(non_upper_case_globals, dead_code, reason = "argument names")]
        const $arg: u8 = Register::$arg as u8;)*
    };
}

macro_rules! arg {
    ($arg:ident, $kind:expr) => {
        $crate::syscall::Arg { name: $crate::syscall::case::plain(stringify!($arg)), index: $arg, kind: $kind }
    };
    ($arg:ident @ $register:literal, $kind:expr) => {
        $crate::syscall::Arg { name: $crate::syscall::case::plain(stringify!($arg)), index: $register, kind: $kind }
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($cases:expr) => {
        Some($cases)
    };
}

macro_rules! given {
    () => {
        false
    };
    ($given:ident) => {
        true
    };
}

/// A name without the `r#` that a keyword needs.
pub const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

pub(crate) use {arg, cases, given, optional, registers, rows};
