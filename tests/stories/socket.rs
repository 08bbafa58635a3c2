//! The daemon's socket, with an owner that has no recorder: what clients get, and what bad ones cost.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use traceloop::control::{self, Client, Kind, News, Problem, Request, Socket, Track, Which};

/// A served socket; the owner has one track, number 3, whose dump is as large as is said.
struct Served {
    place: tempfile::TempDir,
}

impl Served {
    fn new(dump: usize) -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let socket = Socket::open(&place.path().join("a.sock"), None).expect("a socket");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let (requests, asked) = mpsc::channel(64);
                tokio::spawn(owner(asked, dump));
                control::serve(socket, requests).await.expect("serve");
            });
        });
        Self { place }
    }

    fn path(&self) -> std::path::PathBuf {
        self.place.path().join("a.sock")
    }

    fn client(&self) -> Client {
        Client::new(&self.path())
    }
}

async fn owner(mut asked: mpsc::Receiver<Request>, dump: usize) {
    let mut followed = Vec::new();
    while let Some(request) = asked.recv().await {
        match request {
            Request::Tracks(_, reply) => drop(reply.send(Ok(vec![Track { id: 3, ..Track::default() }]))),
            Request::Dump(Which::Target(target), _, reply) if target == "#3" => drop(reply.send(Ok(vec![7; dump]))),
            Request::Dump(_, _, reply) => drop(reply.send(Err(Problem::no_track(4)))),
            Request::Follow(_, _, reply) => {
                let (send, news) = mpsc::channel(2);
                let frame = control::frame::encode(&News::End {}, &[]).expect("a frame");
                send.try_send(frame).expect("room");
                followed.push(send);
                drop(reply.send(Ok(news)));
            }
            Request::Close(_, _, reply) => {
                let gone = followed.iter().filter(|follower| follower.is_closed()).count();
                drop(reply.send(Err(Problem::new(Kind::Conflict, format!("{gone} of {} are gone", followed.len())))));
            }
            other => panic!("{other:?} was not asked for"),
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Sends bytes, and reads what comes until the server closes.
fn raw(path: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).expect("connect");
    stream.write_all(bytes).expect("write");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn answers_come_whole_and_errors_are_sentences() {
    let served = Served::new(3 << 20);
    runtime().block_on(async {
        let client = served.client();
        assert_eq!(client.tracks(Some("a b/*")).await.expect("tracks")[0].id, 3);
        assert_eq!(client.dump("#3").await.expect("a dump").len(), 3 << 20);
        let error = client.dump("#4").await.expect_err("there is no such").to_string();
        assert_eq!(error, "no recording has the number 4: `traceloop ps` lists them");
        let nowhere = Client::new(Path::new("/nonexistent/a.sock")).status().await.expect_err("no daemon").to_string();
        assert!(nowhere.contains("is traceloop.service running?"), "{nowhere}");
    });
}

#[test]
fn what_is_no_http_is_refused() {
    let served = Served::new(1);
    for bytes in [&b"\x16\x03\x01\xff\xff\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
        let answer = raw(&served.path(), bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let long = format!("GET /v1 HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(100_000));
    let answer = raw(&served.path(), long.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[test]
fn a_follower_that_goes_is_noticed() {
    let served = Served::new(1);
    runtime().block_on(async {
        let client = served.client();
        let mut following = client.follow("#3", Duration::ZERO, false).await.expect("follow");
        assert_eq!(following.next().await.expect("news").expect("a frame").0, News::End {});
        drop(following);
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let told = client.close(3).await.expect_err("it only tells").to_string();
            if told == "1 of 1 are gone" {
                break;
            }
            assert!(Instant::now() < until, "{told}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn a_hundred_bad_clients_cost_others_nothing() {
    let served = Served::new(4 << 20);
    let client = served.client();
    // The usual time is the median; the longest tells how busy the machine is.
    let usual = || {
        runtime().block_on(async {
            let mut times = Vec::new();
            for _ in 0..200 {
                let began = Instant::now();
                client.tracks(None).await.expect("tracks");
                times.push(began.elapsed());
            }
            times.sort();
            (times[100], times[199])
        })
    };
    let alone = usual();
    let before = resident();
    let mut bad = Vec::new();
    for n in 0..100 {
        let mut stream = UnixStream::connect(served.path()).expect("connect");
        let bytes: &[u8] = match n % 5 {
            0 => b"",
            1 => b"GET /v1/tra",
            2 => b"POST /v1/tracks HTTP/1.1\r\nhost: a\r\ncontent-length: 60000\r\n\r\n{",
            // Asks for 4 MiB and takes none.
            3 => b"GET /v1/tracks/3/dump HTTP/1.1\r\nhost: a\r\n\r\n",
            _ => b"\0\xff\r\n",
        };
        stream.write_all(bytes).expect("write");
        if n % 10 != 4 {
            bad.push(stream);
        }
    }
    let beside = usual();
    let grown = resident().saturating_sub(before);
    println!("median, longest: alone {alone:?}, beside 100 bad clients {beside:?}; {} KiB more", grown / 1024);
    let most = alone.0.max(Duration::from_millis(5)) * 10;
    assert!(beside.0 < most, "{alone:?} alone, {beside:?} beside bad clients");
    assert!(beside.1 < Duration::from_secs(5), "{beside:?}: somebody was waited for");
    // What waits to be taken is bounded by the server, whatever is asked for.
    assert!(grown < 100 << 20, "{grown} bytes more");
    // They are dropped in the end.
    for stream in &mut bad {
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time");
        let mut sink = [0; 4096];
        while stream.read(&mut sink).expect("the server closes") > 0 {}
    }
}

/// Bytes that this process has in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("statm");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4096
}
