//! Sizes and spans of time for people.

/// `512B`, `1.5K`, `20M`, `3.2G`, as coredumpctl writes sizes.
pub fn size(bytes: u64) -> String {
    let units = [("E", 60), ("P", 50), ("T", 40), ("G", 30), ("M", 20), ("K", 10)];
    match units.iter().find(|(_, shift)| bytes >= 1 << shift) {
        Some((unit, shift)) => {
            let tenths = (u128::from(bytes) * 10) >> shift;
            if tenths >= 1000 {
                format!("{}{unit}", tenths / 10)
            } else {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            }
        }
        None => format!("{bytes}B"),
    }
}

/// `12ms`, `3.2s`, `2min 3s`, `4h 5min`, `3d 2h`.
pub fn span(nanoseconds: u64) -> String {
    let (millis, seconds) = (nanoseconds / 1_000_000, nanoseconds / 1_000_000_000);
    let two = |whole: u64, unit: &str, rest: u64, small: &str| match rest {
        0 => format!("{whole}{unit}"),
        rest => format!("{whole}{unit} {rest}{small}"),
    };
    match seconds {
        0 => format!("{millis}ms"),
        1..60 => format!("{seconds}.{}s", millis / 100 % 10),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86400 => two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86400, "d", seconds / 3600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let told = [0, 1023, 1024, 1536, 99 << 10, 100 << 10, 20 << 20, u64::MAX].map(size);
        assert_eq!(told, ["0B", "1023B", "1.0K", "1.5K", "99.0K", "100K", "20.0M", "15.9E"]);
    }

    #[test]
    fn spans() {
        let second = 1_000_000_000;
        let told = [12_000_000, 3_250_000_000, 123 * second, 60 * second, 14_700 * second, 266_400 * second].map(span);
        assert_eq!(told, ["12ms", "3.2s", "2min 3s", "1min", "4h 5min", "3d 2h"]);
    }
}
