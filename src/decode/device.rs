//! Devices: loop devices, clocks, disks, the entropy pool.

use super::{file, memory::Memory, text::Text};
use crate::syscall::words::ioctl as words;

fn words_in_brackets(text: &mut Text<'_>, values: impl Iterator<Item = u64>) {
    text.bracketed(|text| {
        for value in values {
            text.separate();
            text.hex(value);
        }
    });
}

/// struct loop_info64.
pub(super) fn loop_info64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let whole = text.style().verbose;
    let [device, inode, rdevice, offset, size]: [u64; 5] = std::array::from_fn(|_| memory.u64());
    let [number, encryption, key_size, flags]: [u32; 4] = std::array::from_fn(|_| memory.u32());
    let (file_name, crypt_name, key) = (memory.raw(64), memory.raw(64), memory.raw(32));
    let init = [memory.u64(), memory.u64()];
    text.braced(|text| {
        if whole {
            file::device(text.field("lo_device"), device);
            text.field("lo_inode").unsigned(inode);
            file::device(text.field("lo_rdevice"), rdevice);
        }
        text.field("lo_offset").hex(offset);
        if whole {
            text.field("lo_sizelimit").unsigned(size);
        }
        text.field("lo_number").unsigned(number);
        if whole || encryption != 0 {
            text.field("lo_encrypt_type").word(&words::LOOP_CRYPT, encryption.into());
            text.field("lo_encrypt_key_size").unsigned(key_size);
        }
        text.field("lo_flags").flags(&words::LOOP, flags.into());
        text.field("lo_file_name").cstring(file_name);
        if whole || encryption != 0 {
            text.field("lo_crypt_name").cstring(crypt_name);
            text.field("lo_encrypt_key").whole_string(&key[..key.len().min(key_size as usize)]);
        }
        if whole {
            words_in_brackets(text.field("lo_init"), init.into_iter());
        } else {
            text.push(", ...");
        }
    });
}

/// struct loop_info.
pub(super) fn loop_info(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let wide = memory.word_size() == 8;
    let whole = text.style().verbose;
    let number = memory.i32();
    let short_device = |memory: &mut Memory<'_>| {
        if wide { memory.u32().into() } else { u64::from(memory.u16()) }
    };
    if wide {
        memory.skip(4);
    }
    let device = if wide { memory.u64() } else { memory.u16().into() };
    if !wide {
        memory.skip(2);
    }
    let inode = memory.word();
    let rdevice = if wide { memory.u64() } else { short_device(memory) };
    if !wide {
        memory.skip(2);
    }
    let (offset, encryption, key_size, flags) = (memory.i32(), memory.u32(), memory.u32(), memory.u32());
    let (file_name, key) = (memory.raw(64), memory.raw(32));
    let init = [memory.word(), memory.word()];
    let reserved = memory.raw(4);
    text.braced(|text| {
        text.field("lo_number").signed(number);
        if whole {
            file::device(text.field("lo_device"), device);
            text.field("lo_inode").unsigned(inode);
            file::device(text.field("lo_rdevice"), rdevice);
        }
        text.field("lo_offset").hex(offset.cast_unsigned());
        if whole || encryption != 0 {
            text.field("lo_encrypt_type").word(&words::LOOP_CRYPT, encryption.into());
            text.field("lo_encrypt_key_size").unsigned(key_size);
        }
        text.field("lo_flags").flags(&words::LOOP, flags.into());
        text.field("lo_name").cstring(file_name);
        if whole || encryption != 0 {
            text.field("lo_encrypt_key").whole_string(&key[..key.len().min(key_size as usize)]);
        }
        if whole {
            words_in_brackets(text.field("lo_init"), init.into_iter());
            words_in_brackets(text.field("reserved"), reserved.iter().map(|byte| u64::from(*byte)));
        } else {
            text.push(", ...");
        }
    });
}

/// struct loop_config.
pub(super) fn loop_config(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (fd, block) = (memory.i32(), memory.u32());
    text.braced(|text| {
        text.field("fd").fd(fd);
        text.field("block_size").unsigned(block);
        loop_info64(text.field("info"), memory);
        let reserved: [u64; 8] = std::array::from_fn(|_| memory.u64());
        if reserved.iter().any(|value| *value != 0) {
            words_in_brackets(text.field("__reserved"), reserved.into_iter());
        }
    });
}

/// struct rtc_time.
pub(super) fn rtc_time(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let names = ["tm_sec", "tm_min", "tm_hour", "tm_mday", "tm_mon", "tm_year", "tm_wday", "tm_yday", "tm_isdst"];
    let values: [i32; 9] = std::array::from_fn(|_| memory.i32());
    let shown = if text.style().verbose { 9 } else { 6 };
    text.braced(|text| {
        for (name, value) in names.iter().zip(values).take(shown) {
            text.field(name).signed(value);
        }
        if shown < 9 {
            text.push(", ...");
        }
    });
}

/// struct rtc_wkalrm.
pub(super) fn rtc_alarm(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (enabled, pending) = (memory.u8(), memory.u8());
    memory.skip(2);
    text.braced(|text| {
        text.field("enabled").unsigned(enabled);
        text.field("pending").unsigned(pending);
        rtc_time(text.field("time"), memory);
    });
}

/// struct rtc_pll_info.
pub(super) fn rtc_pll(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        for name in ["pll_ctrl", "pll_value", "pll_max", "pll_min", "pll_posmult", "pll_negmult"] {
            text.field(name).signed(memory.i32());
        }
        text.field("pll_clock").signed(memory.long());
    });
}

/// A clock's voltage.
pub(super) fn rtc_voltage(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let flags = memory.u32();
    text.bracketed(|text| text.flags(&words::RTC_VOLTAGE, flags.into()));
}

/// struct hd_geometry.
pub(super) fn geometry(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (heads, sectors, cylinders) = (memory.u8(), memory.u8(), memory.u16());
    if memory.word_size() == 8 {
        memory.skip(4);
    }
    let start = memory.word();
    text.braced(|text| {
        text.field("heads").unsigned(heads);
        text.field("sectors").unsigned(sectors);
        text.field("cylinders").unsigned(cylinders);
        text.field("start").unsigned(start);
    });
}

/// A pair of positions.
pub(super) fn pair(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (first, second) = (memory.u64(), memory.u64());
    text.bracketed(|text| {
        text.unsigned(first);
        text.push(", ");
        text.unsigned(second);
    });
}

/// A short number.
pub(super) fn short(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let value = memory.u16();
    text.bracketed(|text| text.unsigned(value));
}

/// struct rand_pool_info.
pub(super) fn entropy(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (count, size) = (memory.i32(), memory.i32());
    let bytes = memory.rest();
    text.braced(|text| {
        text.field("entropy_count").signed(count);
        text.field("buf_size").signed(size);
        let size = usize::try_from(size).unwrap_or(0);
        text.field("buf").string(&bytes[..bytes.len().min(size)], size > bytes.len());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_loop_device() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut bytes = [0; 232];
        bytes[40] = 3;
        bytes[52] = 4;
        bytes[56..60].copy_from_slice(b"/img");
        loop_info64(&mut text, &mut Memory::new(&bytes, 0, 8));
        let expected = r#"{lo_offset=0, lo_number=3, lo_flags=LO_FLAGS_AUTOCLEAR, lo_file_name="/img", ...}"#;
        assert_eq!(text.finish(), expected);
    }
}
