//! Holds the server to openapi.json: every route is described, every answer is as described.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request as HttpRequest, StatusCode},
};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    messages::{AddTrigger, Cost, Fire, GivenUp, Limited, Saved, Silence, Status, Track, Trigger},
    request::{FollowWanted, Kind, Problem, Request, Which},
    routes,
};
use crate::model::{Container, Counted, Identity, Loss, Pod, Process, Reading, Stuck, Undumped};

fn described() -> Value {
    serde_json::from_str(include_str!("openapi.json")).unwrap()
}

/// Every method and path that is described.
fn operations(described: &Value) -> Vec<(String, String)> {
    let paths = described["paths"].as_object().unwrap();
    let methods = |item: &Value| item.as_object().unwrap().keys().filter(|key| *key != "parameters").cloned().collect();
    let mut all: Vec<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods: Vec<String> = methods(item);
            methods.into_iter().map(|method| (method, path.clone()))
        })
        .collect();
    all.sort();
    all
}

fn track() -> Track {
    let identity = Identity {
        cgroup: "/kubepods/a".into(),
        cgroup_id: 77,
        unit: Some("a.service".into()),
        user: Some(1000),
        slice: Some("a.slice".into()),
        invocation: Some("00".into()),
        container: Some(Container {
            runtime: "podman".into(),
            id: "0123".into(),
            name: Some("web".into()),
            cgroup: "/kubepods/a".into(),
            image: Some("debian".into()),
            labels: [("a".to_owned(), "b".to_owned())].into(),
        }),
        pod: Some(Pod {
            uid: "u".into(),
            namespace: Some("shop".into()),
            name: Some("cart".into()),
            container: Some("web".into()),
        }),
        outer: vec![Container { id: "box".into(), ..Container::default() }],
    };
    Track {
        id: 3,
        target: identity.to_string(),
        identity,
        ended: Some(2.5),
        settings: Some("nothing".into()),
        overhead: Some(0.25),
        ..Track::default()
    }
}

/// An owner that answers everything, or fails with everything.
fn owner(fails: Option<Kind>) -> Router {
    let (requests, mut asked) = mpsc::channel(4);
    tokio::spawn(async move {
        while let Some(request) = asked.recv().await {
            answer(request, fails.map(|kind| Problem::new(kind, "no")));
        }
    });
    routes::all(routes::Owner::new(requests))
}

fn answer(request: Request, fails: Option<Problem>) {
    fn with<T>(value: T, fails: Option<Problem>) -> Result<T, Problem> {
        fails.map_or(Ok(value), Err)
    }
    let losses = vec![Loss { count: 1, reason: "a".into() }];
    let limited = vec![Limited {
        target: "a.service".into(),
        times: 3,
        limit: "burst".into(),
        lives: vec![Undumped::default()],
        ..Limited::default()
    }];
    let silences = vec![Silence { from: 1.5, to: Some(2.5) }, Silence { from: 3.5, to: None }];
    let status = Status {
        version: "0".into(),
        pid: 1,
        since: 2,
        tracks: 1,
        memory: 1,
        memory_max: 2,
        losses,
        limited,
        recording: false,
        silences,
        held: Some(true),
        cost: Some(Cost { call_ns: 1.5, measured: true, ..Cost::default() }),
    };
    let saved = Saved { id: "a".into(), path: "/a".into(), bytes: 1 };
    match request {
        Request::Status(reply) => drop(reply.send(with(status, fails))),
        Request::Tracks(target, reply) => {
            assert_eq!(target.as_deref(), Some("*.service"));
            drop(reply.send(with(vec![Track::default(), track()], fails)));
        }
        Request::Track(id, reply) => {
            assert_eq!(id, 7);
            drop(reply.send(with(track(), fails)));
        }
        Request::GivenUp(reply) => {
            let gone = GivenUp { target: "a".into(), at: 1.5, why: "age".into(), ..GivenUp::default() };
            drop(reply.send(with(vec![gone], fails)));
        }
        Request::Add(add, _, reply) => {
            assert_eq!(add.target, "a");
            drop(reply.send(with(track(), fails)));
        }
        Request::Close(_, _, reply) => drop(reply.send(with((), fails))),
        Request::Triggers(reply) => {
            let rule = Trigger { rule: "openat=EACCES".into(), units: vec!["a".into()], ..Trigger::default() };
            drop(reply.send(with(vec![rule], fails)));
        }
        Request::AddTrigger(add, _, reply) => {
            let wanted = AddTrigger { rule: "openat=EACCES".into(), units: vec!["a".into()], with: Vec::new() };
            assert_eq!(add, wanted);
            drop(
                reply
                    .send(with(Trigger { id: 1, rule: add.rule, with: vec!["b".into()], ..Trigger::default() }, fails)),
            );
        }
        Request::RemoveTrigger(_, _, reply) => drop(reply.send(with((), fails))),
        Request::Fire(fire, _, reply) => {
            assert_eq!(fire, Fire { targets: vec!["a".into(), "b".into()] });
            drop(reply.send(with(saved, fails)));
        }
        Request::Stuck(wanted, _, reply) => {
            assert_eq!((wanted.target.as_deref(), wanted.longer.as_millis()), (Some("a b"), 1500));
            let whom = vec![Process { tid: 8, pid: 7, comm: "sh".into() }];
            let known =
                Stuck { waits_for: Some("its child sh[7]".into()), whom, stack: vec!["a".into()], ..Stuck::default() };
            drop(reply.send(with(vec![Stuck::default(), known], fails)));
        }
        Request::Dump(which, _, reply) => {
            assert!([Which::Track(7), Which::Target("a b".into())].contains(&which), "{which:?}");
            drop(reply.send(with(vec![7; 200_000], fails)));
        }
        Request::Save(_, _, reply) => drop(reply.send(with(saved, fails))),
        Request::Stored(which, _, reply) => {
            let wanted = (which.after.as_deref(), which.last, which.matches.len());
            assert_eq!(wanted, (Some("0123456789ab"), Some(3), 2));
            let (send, lines) = mpsc::channel(1);
            let line = json!({"id": "1123456789ab", "path": "/a", "size": 1, "state": "torn", "time": "2026-01-01T00:00:00.000000Z", "name": "a", "reason": "killed", "host": "node1", "identities": [track().identity]});
            let _ = send.try_send(format!("{line}\n").into_bytes());
            drop(reply.send(with(lines, fails)));
        }
        Request::StoredFile(id, _, reply) if id != "7" => {
            drop(reply.send(Err(Problem::new(Kind::NotFound, "no"))));
        }
        Request::StoredFile(_, _, reply) => {
            let (send, pieces) = mpsc::channel(1);
            let _ = send.try_send(Ok(vec![7; 20]));
            drop(reply.send(with((20, pieces), fails)));
        }
        Request::Follow(FollowWanted { which, slower, wait }, _, reply) => {
            match which {
                Which::Track(id) => assert_eq!((id, wait), (7, false)),
                Which::Target(target) => assert_eq!(target, "a b"),
            }
            assert_eq!(slower, 200_000_000);
            let (send, news) = mpsc::channel(1);
            let _ = send.try_send(b"frame".to_vec());
            drop(reply.send(with(news, fails)));
        }
        Request::Count(wanted, reply) => {
            assert_eq!((wanted.target.as_deref(), wanted.every.as_millis()), (Some("a b"), 250));
            let (send, readings) = mpsc::channel(2);
            let counted = Counted { cgroup: 7, comm: None, syscall: "read".into(), ..Counted::default() };
            let named = Counted { comm: Some("cat".into()), ..counted.clone() };
            for counts in [Vec::new(), vec![counted, named]] {
                let _ = send.try_send(Reading { seconds: 0.25, uncounted: 1, counts });
            }
            drop(reply.send(with(readings, fails)));
        }
        Request::Metrics(reply) => drop(reply.send(with("a 1\n".to_owned(), fails))),
    }
}

async fn ask(router: Router, method: &str, path: &str, body: Body) -> (StatusCode, String, Bytes) {
    let request = HttpRequest::builder().method(method.to_uppercase().as_str()).uri(path).body(body).unwrap();
    let answer = TowerToHyperService::new(router).call(request).await.unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status(), kind, answer.into_body().collect().await.unwrap().to_bytes())
}

/// An address that the description's path stands for, and a right body.
fn example(method: &str, path: &str) -> (String, Body) {
    let query = match (method, path) {
        ("get", "/v1/tracks") => "?target=%2A.service",
        ("get", "/v1/tracks/{id}/follow") => "?slower=200000000",
        ("get", "/v1/stuck") => "?target=a%20b&longer=1.5",
        ("get", "/v1/dump") => "?target=a%20b",
        ("get", "/v1/follow") => "?target=a%20b&slower=200000000&wait=true",
        ("get", "/v1/dumps" | "/v1/dumps/stream") => "?after=0123456789ab&match=UNIT%3Da%20b&last=3",
        ("get", "/v1/counts") => "?target=a%20b&every=0.25",
        _ => "",
    };
    let body = match (method, path) {
        ("post", "/v1/tracks") => Body::from("{\"target\":\"a\"}"),
        ("post", "/v1/triggers") => Body::from("{\"rule\":\"openat=EACCES\",\"units\":[\"a\"]}"),
        ("post", "/v1/dumps") => Body::from("{\"targets\":[\"a\",\"b\"]}"),
        _ => Body::empty(),
    };
    (path.replace("{id}", "7") + query, body)
}

/// Asserts that the description has this answer to this operation.
fn must_be_described(described: &Value, operation: (&str, &str), answer: &(StatusCode, String, Bytes)) {
    let (status, kind, body) = answer;
    let mut response = &described["paths"][operation.1][operation.0]["responses"][status.as_str()];
    if let Some(name) = response["$ref"].as_str() {
        response = described.pointer(&name[1..]).unwrap();
    }
    assert!(response.is_object(), "{operation:?} answers {status}, which is not described: {body:?}");
    let Some(content) = response["content"].as_object() else {
        assert!(body.is_empty(), "{operation:?}: {body:?}");
        return;
    };
    let name = kind.split(';').next().unwrap();
    let schema = &content.get(name).unwrap_or_else(|| panic!("{operation:?} answers with {name}"))["schema"];
    let values: Vec<&[u8]> = match name {
        "application/json" => vec![body],
        "application/x-ndjson" => body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect(),
        _ => Vec::new(),
    };
    for value in values {
        let mut schema = schema.clone();
        schema["components"] = described["components"].clone();
        let value = serde_json::from_slice(value).unwrap();
        if let Err(error) = jsonschema::validate(&schema, &value) {
            panic!("{operation:?} {status}: {error} at {} in {value}", error.instance_path());
        }
    }
}

#[test]
fn every_route_is_described_and_no_other() {
    let mut routes: Vec<_> =
        routes::ROUTES.iter().map(|(method, path, _)| (String::from(*method), String::from(*path))).collect();
    routes.sort();
    assert_eq!(operations(&described()), routes);
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let described = described();
    for (method, path) in operations(&described) {
        let operation = (method.as_str(), path.as_str());
        let (address, body) = example(&method, &path);
        let answer = ask(owner(None), &method, &address, body).await;
        assert!(answer.0.is_success(), "{operation:?}: {answer:?}");
        must_be_described(&described, operation, &answer);
        let (address, body) = example(&method, &path);
        must_be_described(&described, operation, &ask(routes::refused(), &method, &address, body).await);
        for kind in [Kind::Failed, Kind::Busy] {
            let (address, body) = example(&method, &path);
            must_be_described(&described, operation, &ask(owner(Some(kind)), &method, &address, body).await);
        }
        if path.contains("{id}") {
            for id in ["x", "-1", "99999999999999999999", "%00"] {
                let answer = ask(owner(None), &method, &path.replace("{id}", id), Body::empty()).await;
                assert_eq!(answer.0, StatusCode::NOT_FOUND);
                must_be_described(&described, operation, &answer);
            }
        }
    }
}

#[tokio::test]
async fn wrong_requests_get_a_sentence() {
    let described = described();
    let add = ("post", "/v1/tracks");
    let big = Body::from(json!({"target": "a".repeat(100_000)}).to_string());
    for (body, status) in [
        (Body::from("{"), 400),
        (Body::from("{\"target\":\"a\",\"more\":1}"), 400),
        (Body::from(b"\xff\xfe".to_vec()), 400),
        (Body::empty(), 400),
        (big, 413),
    ] {
        let answer = ask(owner(None), add.0, add.1, body).await;
        assert_eq!(answer.0.as_u16(), status, "{answer:?}");
        must_be_described(&described, add, &answer);
    }
    for kind in [Kind::Wrong, Kind::NotFound, Kind::Conflict] {
        must_be_described(
            &described,
            add,
            &ask(owner(Some(kind)), add.0, add.1, Body::from("{\"target\":\"a\"}")).await,
        );
    }
    let answer = ask(owner(None), "get", "/v1/tracks?targets=a", Body::empty()).await;
    assert_eq!(answer.0, StatusCode::BAD_REQUEST);
    must_be_described(&described, ("get", "/v1/tracks"), &answer);
    for query in ["every=0", "every=x", "every=NaN", "every=1e9", "evry=1"] {
        let answer = ask(owner(None), "get", &format!("/v1/counts?{query}"), Body::empty()).await;
        assert_eq!(answer.0, StatusCode::BAD_REQUEST, "{query}");
        must_be_described(&described, ("get", "/v1/counts"), &answer);
    }
    for query in ["longer=-1", "longer=x", "longer=NaN", "larger=1"] {
        let answer = ask(owner(None), "get", &format!("/v1/stuck?{query}"), Body::empty()).await;
        assert_eq!(answer.0, StatusCode::BAD_REQUEST, "{query}");
        must_be_described(&described, ("get", "/v1/stuck"), &answer);
    }
    let closing = ask(owner(Some(Kind::Conflict)), "delete", "/v1/tracks/1", Body::empty()).await;
    must_be_described(&described, ("delete", "/v1/tracks/{id}"), &closing);
    let answer = ask(owner(None), "get", "/v1/tracks/7/follow?slower=-1", Body::empty()).await;
    assert_eq!(answer.0, StatusCode::BAD_REQUEST);
    must_be_described(&described, ("get", "/v1/tracks/{id}/follow"), &answer);
    for path in ["/v1/dump", "/v1/follow"] {
        for query in ["", "?target=a&more=1", "?slower=1", "?target=a&wait=perhaps"] {
            let answer = ask(owner(None), "get", &format!("{path}{query}"), Body::empty()).await;
            assert_eq!(answer.0, StatusCode::BAD_REQUEST, "{path}{query}");
            must_be_described(&described, ("get", path), &answer);
        }
        let address = format!("{path}?target=a%20b{}", if path == "/v1/follow" { "&slower=200000000" } else { "" });
        for kind in [Kind::Wrong, Kind::NotFound, Kind::Conflict] {
            must_be_described(&described, ("get", path), &ask(owner(Some(kind)), "get", &address, Body::empty()).await);
        }
    }
    for (method, path, status) in [("get", "/v2", 404), ("put", "/v1", 405)] {
        let answer = ask(owner(None), method, path, Body::empty()).await;
        let value: Value = serde_json::from_slice(&answer.2).unwrap();
        assert!(answer.0.as_u16() == status && value["error"].is_string(), "{answer:?}");
    }
}

/// Settings of a unit are those that are described.
#[test]
fn settings_are_what_the_description_says() {
    let schema = described()["components"]["schemas"]["Settings"].clone();
    let all = json!({"string-limit": 64, "payload": false, "syscalls": "%file", "only-slower": "1ms", "stacks": "failed",
        "buffer-size": 1 << 20, "max-overhead": "5%", "off": true});
    let described: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let mut taken: Vec<_> = all.as_object().unwrap().keys().cloned().collect();
    taken.sort_by_key(|key| described.iter().position(|known| known == key));
    assert_eq!(taken, described);
    let rule: crate::profile::Rule = serde_json::from_value(all.clone()).unwrap();
    assert_eq!(serde_json::to_value(&rule).unwrap(), all);
    assert!(jsonschema::validate(&schema, &json!({"strings": 1})).is_err());
    assert!(serde_json::from_value::<crate::profile::Rule>(json!({"strings": 1})).is_err());
}

/// What the description takes for a target, and nothing else, is one.
#[test]
fn a_target_is_what_the_description_says() {
    let schema = &described()["components"]["schemas"]["Target"];
    for text in
        ["", "a", "/", "#7", "4711", "shop/cart", "\u{1b}[2J", "a\nb", "\u{9b}", &"a".repeat(4096), &"a".repeat(4097)]
    {
        let is_described = jsonschema::validate(schema, &json!(text)).is_ok();
        assert_eq!(is_described, crate::identity::Target::parse(text).is_ok(), "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let body = Body::from_stream(tokio_stream::pending::<Result<Bytes, std::io::Error>>());
    let answer = ask(owner(None), "post", "/v1/tracks", body).await;
    assert_eq!(answer.0, StatusCode::REQUEST_TIMEOUT);
    must_be_described(&described(), ("post", "/v1/tracks"), &answer);
}
