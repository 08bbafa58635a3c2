//! Arrows from the call that sent a signal to where the signal arrived.

use std::collections::{HashMap, VecDeque};

use crate::model::{Call, Event, Outcome, Signal, Value};

/// Calls that send a signal to whom their arguments name.
const SENDERS: [&str; 5] = ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"];

/// Sent signals that are remembered of a process, and processes that are.
const SENT: usize = 64;
const PROCESSES: usize = 4096;

/// Signals on their way. Numbers are of arrows; one is used once.
#[derive(Debug, Default)]
pub(super) struct Flows {
    last: u64,
    sent: HashMap<u32, VecDeque<Sent>>,
}

#[derive(Debug)]
struct Sent {
    arrow: u64,
    /// The numbers among the call's arguments: one is the target's id.
    numbers: Vec<i64>,
}

impl Flows {
    /// A new arrow.
    pub(super) fn arrow(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The arrow of a request of io_uring's: no other arrow has so large a number.
    pub(super) fn request(ring: u32, number: u32) -> u64 {
        1 << 63 | u64::from(ring) << 32 | u64::from(number)
    }

    /// The arrow that begins at a call, if it sends a signal.
    pub(super) fn sent(&mut self, event: &Event, call: &Call) -> Option<u64> {
        if !SENDERS.contains(&call.name) || !matches!(call.outcome, Outcome::Returned { .. }) {
            return None;
        }
        let arrow = self.arrow();
        let number = |value: &Value| match value {
            Value::Signed(value) => Some(*value),
            Value::Unsigned(value) => i64::try_from(*value).ok(),
            Value::Bytes(_) => None,
        };
        let numbers = call.args.iter().filter_map(|arg| number(&arg.value)).collect();
        if self.sent.len() >= PROCESSES && !self.sent.contains_key(&event.pid) {
            self.sent.clear();
        }
        let sent = self.sent.entry(event.pid).or_default();
        if sent.len() >= SENT {
            sent.pop_front();
        }
        sent.push_back(Sent { arrow, numbers });
        Some(arrow)
    }

    /// The arrow that ends at a delivered signal, if the call was seen that sent it.
    pub(super) fn arrived(&mut self, event: &Event, signal: &Signal) -> Option<u64> {
        let (pid, _) = signal.sender?;
        let sent = self.sent.get_mut(&pid)?;
        let target = |number: &i64| *number == i64::from(event.pid) || *number == i64::from(event.tid);
        let ours = |sent: &Sent| sent.numbers.iter().any(target) && sent.numbers.contains(&signal.signo.into());
        let place = sent.iter().position(ours)?;
        sent.remove(place).map(|sent| sent.arrow)
    }
}
