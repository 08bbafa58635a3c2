//! Any bytes on the daemon's socket get answers of HTTP, or none, and never a failure that is ours.

use std::sync::LazyLock;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::{Builder, Runtime},
    sync::mpsc,
};
use traceloop::control::{self, Kind, News, Problem, Request, Track, Which};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Sends bytes and reads what comes.
pub(crate) fn check(data: &[u8]) {
    let answer = RUNTIME.block_on(async {
        let (requests, asked) = mpsc::channel(8);
        let owner = tokio::spawn(owner(asked));
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let served = tokio::spawn(control::answer(server, requests));
        let _ = client.write_all(data).await;
        let _ = client.shutdown().await;
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer).await;
        served.await.expect("the server does not panic");
        owner.await.expect("the owner does not panic");
        answer
    });
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answer));
    // Behind "HTTP/1.1 " stands whose fault it is.
    assert!(answer.get(9) != Some(&b'5'), "{}", String::from_utf8_lossy(&answer));
}

/// Answers what it is asked, as a daemon with one track would.
async fn owner(mut asked: mpsc::Receiver<Request>) {
    let nothing = |id| Problem::no_track(id);
    while let Some(request) = asked.recv().await {
        match request {
            Request::Status(reply) => drop(reply.send(Err(Problem::new(Kind::Conflict, "x")))),
            Request::Tracks(_, reply) => drop(reply.send(Ok(vec![Track::default()]))),
            Request::Track(3, reply) => drop(reply.send(Ok(Track::default()))),
            Request::Track(id, reply) => drop(reply.send(Err(nothing(id)))),
            Request::GivenUp(reply) => drop(reply.send(Ok(Vec::new()))),
            Request::Add(add, _, reply) => drop(reply.send(Ok(Track { target: add.target, ..Track::default() }))),
            Request::Triggers(reply) => drop(reply.send(Ok(vec![control::Trigger::default()]))),
            Request::AddTrigger(_, _, reply) => drop(reply.send(Ok(control::Trigger::default()))),
            Request::RemoveTrigger(id, _, reply) => drop(reply.send(Err(nothing(id)))),
            Request::Fire(_, _, reply) => drop(reply.send(Err(nothing(4)))),
            Request::Close(id, _, reply) => drop(reply.send(Err(nothing(id)))),
            Request::Stuck(_, _, reply) => drop(reply.send(Ok(vec![traceloop::model::Stuck::default()]))),
            Request::Dump(Which::Track(3), _, reply) => drop(reply.send(Ok(vec![7; 100]))),
            Request::Dump(_, _, reply) => drop(reply.send(Err(nothing(4)))),
            Request::Save(id, _, reply) => drop(reply.send(Err(nothing(id)))),
            Request::Stored(which, _, reply) => {
                let (send, lines) = mpsc::channel(2);
                send.try_send(format!("{{\"id\":{:?}}}\n", which.after).into_bytes()).expect("room");
                drop(reply.send(Ok(lines)));
            }
            Request::StoredFile(_, _, reply) => {
                let (send, pieces) = mpsc::channel(2);
                send.try_send(Ok(vec![7; 100])).expect("room");
                drop(reply.send(Ok((100, pieces))));
            }
            Request::Follow(_, _, reply) => {
                let (send, news) = mpsc::channel(2);
                let frame = control::frame::encode(&News::End {}, &[]).expect("a frame");
                send.try_send(frame).expect("room");
                drop(reply.send(Ok(news)));
            }
            // No kernel to count with.
            Request::Count(_, reply) => drop(reply.send(Err(Problem::new(Kind::Conflict, "x")))),
            Request::Metrics(reply) => drop(reply.send(Ok(String::new()))),
        }
    }
}
