//! The daemon's socket: HTTP/1.1 and JSON over a unix socket, both ends of it.
//!
//! The server turns requests into `Request`s on a channel and answers with what comes back; who owns
//! the recorder is not known here. `openapi.json` describes every route and answer, and a test holds
//! the server to it. A client that stalls, floods or vanishes costs a bounded number of bytes, and no
//! other client any time.

mod client;
#[cfg(test)]
mod contract;
pub mod frame;
mod listen;
mod messages;
mod patience;
mod peer;
mod place;
mod query;
mod request;
mod routes;
mod scrape;

pub use client::{Client, Counting, Following, Refused};
pub use listen::{Socket, answer, serve};
pub use messages::{
    Add, AddTrigger, Cost, Fire, Followed, GivenUp, Limited, News, Part, Refusal, Saved, Silence, Status, Track,
    Trigger,
};
pub use peer::{Groups, Peer};
pub use place::trusted;
pub use request::{CountWanted, FollowWanted, Kind, Problem, Reply, Request, StuckWanted, Which, WhichDumps};
pub use routes::ROUTES;
pub use scrape::scrape;

/// Where the socket is unless the configuration says otherwise.
pub const SOCKET: &str = "/run/traceloop/traceloop.sock";
