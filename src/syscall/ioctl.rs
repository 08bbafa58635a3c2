//! Names of ioctl commands, as the kernel's headers define them.
//!
//! ioctl.txt has a line for each number: the number in hexadecimal and its names, with `or` between
//! them; .ci/ioctls adds what newer headers define. Where structures differ in size the ABIs' numbers do too: `64` or `32` then stands in front.

use std::{collections::HashMap, sync::LazyLock};

static NAMES: LazyLock<[HashMap<u32, &'static str>; 2]> = LazyLock::new(|| {
    let mut maps = [HashMap::new(), HashMap::new()];
    for line in include_str!("ioctl.txt").lines() {
        let (maps, line) = match (line.strip_prefix("64 "), line.strip_prefix("32 ")) {
            (Some(line), _) => (&mut maps[..1], line),
            (_, Some(line)) => (&mut maps[1..], line),
            _ => (&mut maps[..], line),
        };
        let Some((number, names)) = line.split_once(' ') else {
            continue;
        };
        let Ok(number) = u32::from_str_radix(number, 16) else {
            continue;
        };
        for map in maps {
            map.insert(number, names);
        }
    }
    maps
});

/// The names of a command where a long has `word` bytes.
pub fn names(command: u32, word: usize) -> Option<&'static str> {
    NAMES[usize::from(word == 4)].get(&command).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_number() {
        assert_eq!(names(0x5401, 8), Some("TCGETS"));
        assert_eq!(names(0x541b, 4), Some("FIONREAD"));
        assert_eq!(names(0x8008_6601, 8), Some("FS_IOC_GETFLAGS"));
        assert_eq!(names(0x8008_6601, 4), None);
        assert_eq!(names(0xdead_beef, 8), None);
    }

    #[test]
    fn every_line_is_understood() {
        for line in include_str!("ioctl.txt").lines() {
            let line = line.strip_prefix("64 ").or_else(|| line.strip_prefix("32 ")).unwrap_or(line);
            let (number, names) = line.split_once(' ').unwrap();
            assert!(u32::from_str_radix(number, 16).is_ok() && !names.is_empty(), "{line}");
        }
    }
}
