//! How a program wants to be told of an event: struct sigevent.

use super::{memory::Memory, signal, text::Text};
use crate::syscall::words;

const SIGNAL: i32 = 0;
const THREAD: i32 = 2;
const THREAD_ID: i32 = 4;

/// struct sigevent.
pub(super) fn sigevent(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let value = memory.word();
    let (signo, notify) = (memory.i32(), memory.i32());
    text.braced(|text| {
        if value != 0 {
            text.field("sigev_value").braced(|text| {
                text.field("sival_int").signed(super::raw::int(value));
                text.field("sival_ptr").addr(value);
            });
        }
        text.field("sigev_signo");
        match notify {
            SIGNAL | THREAD | THREAD_ID => signal::number(text, signo),
            _ => text.unsigned(signo.cast_unsigned()),
        }
        text.field("sigev_notify").word(&words::ipc::SIGEV, notify.cast_unsigned().into());
        match notify {
            THREAD_ID => text.field("sigev_notify_thread_id").signed(memory.i32()),
            THREAD => {
                text.field("sigev_notify_function").addr(memory.word());
                text.field("sigev_notify_attributes").addr(memory.word());
            }
            _ => {}
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_signal_with_a_value() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let bytes: Vec<u8> = [7_u64, 10].iter().flat_map(|word| word.to_ne_bytes()).collect();
        sigevent(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(
            text.finish(),
            "{sigev_value={sival_int=7, sival_ptr=0x7}, sigev_signo=SIGUSR1, sigev_notify=SIGEV_SIGNAL}"
        );
    }
}
