//! A track as clients see it.

use super::share::{Limit, Missed};
use crate::{
    control::{Cost, GivenUp, Limited, Silence, Track},
    model::{Cause, Identity, Undumped},
    recorder::{self, TrackInfo, boottime, realtime_offset},
    render,
};

/// What a client is told of a track.
pub(super) fn track(info: &TrackInfo) -> Track {
    let offset = realtime_offset();
    let until = info.ended.unwrap_or_else(boottime);
    Track {
        id: info.id.0,
        target: info.identity.to_string(),
        identity: info.identity.clone(),
        since: wall(info.began, offset),
        ended: info.ended.map(|ended| wall(ended, offset)),
        window: seconds(until.saturating_sub(info.complete_from.unwrap_or(info.began))),
        reach: seconds(until.saturating_sub(info.part_from.unwrap_or(info.began))),
        shared: info.lobby,
        memory: (info.memory + info.packed) as u64,
        calls: info.calls,
        records: info.records,
        overwritten: info.overwritten,
        lost: info.lost,
        settings: Some(info.settings.clone()).filter(|words| !words.is_empty()),
        skipped: info.skipped,
        level: info.level,
        overhead: info.overhead,
    }
}

/// What a client is told of a history that is gone.
pub(super) fn given_up(gone: &recorder::GivenUp) -> GivenUp {
    GivenUp {
        target: gone.identity.to_string(),
        identity: gone.identity.clone(),
        at: wall(gone.at, realtime_offset()),
        why: gone.why.to_owned(),
    }
}

/// What is remembered of a life that ends now.
pub(super) fn undumped(identity: &Identity, began: u64, cause: &Cause, limit: Limit) -> Undumped {
    let offset = realtime_offset();
    Undumped {
        cgroup_id: identity.cgroup_id,
        began: wall(began, offset),
        ended: wall(boottime(), offset),
        how: render::how(cause),
        cause: cause.to_string(),
        limit: limit.word().to_owned(),
    }
}

/// What a client is told of those who died without a dump.
pub(super) fn limited(name: &str, missed: &Missed, lives: Vec<Undumped>) -> Limited {
    let ago = |at: std::time::Instant| u64::try_from(at.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let at = |at| wall(boottime().saturating_sub(ago(at)), realtime_offset());
    Limited {
        target: name.to_owned(),
        times: missed.times,
        since: at(missed.since),
        last: at(missed.last),
        cause: missed.cause.to_string(),
        limit: missed.limit.word().to_owned(),
        lives,
    }
}

/// What a client is told of the price of a call.
pub(super) fn cost(cost: recorder::Cost) -> Cost {
    let recorder::Cost { call, byte, skipped, unkept, measured } = cost;
    Cost { call_ns: call, byte_ns: byte, skipped_ns: skipped, unkept_ns: unkept, measured }
}

/// What a client is told of a time in which nothing was recorded.
pub(super) fn silence(silence: recorder::Silence) -> Silence {
    let offset = realtime_offset();
    Silence { from: wall(silence.from, offset), to: silence.to.map(|to| wall(to, offset)) }
}

/// CLOCK_BOOTTIME as seconds since 1970.
fn wall(boottime: u64, offset: i64) -> f64 {
    seconds(boottime.saturating_add_signed(offset))
}

#[allow(clippy::cast_precision_loss, reason = "microseconds since 1970 fit into a double")]
fn seconds(nanoseconds: u64) -> f64 {
    (nanoseconds / 1000) as f64 / 1e6
}
