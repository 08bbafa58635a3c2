//! The routes: each turns a request into a question to the owner of the recorder, and its answer into JSON.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request as HttpRequest, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::timeout,
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use super::{
    messages::{ANSWER_WITHIN, Add, AddTrigger, Fire, GivenUp, Refusal, Saved, Status, Track, Trigger},
    peer::Peer,
    query::{DumpId, HowToFollow, Id, OneTarget, WhatIsStuck, WhatToCount, WhatToFollow, WhatToList, WhichTracks},
    request::{FollowWanted, Kind, Problem, Reply, Request, Which, WhichDumps},
};
use crate::model::Stuck;

/// Bytes of a request's body.
const BODY_MOST: usize = 64 << 10;
/// For a request's body to come.
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// Dumps that are made at once; the others wait.
const DUMPS: usize = 2;
/// Clients for whom calls are counted at once: each costs every call that is counted for it.
const COUNTED: usize = 4;
/// Clients for whom the store is looked at, at once: each has a thread.
const LOOKED_FOR: usize = 16;
/// The same for users who are given only what is theirs: each has a dump made of that.
const USERS: usize = 4;
/// KiB of dumps that clients have not taken yet.
const UNTAKEN: u32 = 64 << 10;
/// An answer goes to the socket in pieces of so many bytes.
const PIECE: usize = 64 << 10;

/// A method, a path, and what answers it.
type Route = (&'static str, &'static str, fn() -> MethodRouter<Owner>);

/// Every route.
pub const ROUTES: [Route; 23] = [
    ("get", "/v1", || get(status)),
    ("get", "/v1/tracks", || get(tracks)),
    ("post", "/v1/tracks", || post(add)),
    ("get", "/v1/tracks/{id}", || get(track)),
    ("delete", "/v1/tracks/{id}", || delete(close)),
    ("get", "/v1/tracks/{id}/dump", || get(dump)),
    ("post", "/v1/tracks/{id}/dumps", || post(save)),
    ("get", "/v1/tracks/{id}/follow", || get(follow)),
    ("get", "/v1/stuck", || get(stuck)),
    ("get", "/v1/dump", || get(dump_of)),
    ("get", "/v1/follow", || get(follow_of)),
    ("get", "/v1/counts", || get(counts)),
    ("get", "/v1/dumps", || get(stored)),
    ("post", "/v1/dumps", || post(fire)),
    ("get", "/v1/triggers", || get(triggers)),
    ("post", "/v1/triggers", || post(add_trigger)),
    ("delete", "/v1/triggers/{id}", || delete(remove_trigger)),
    ("get", "/v1/dumps/stream", || get(stream)),
    ("get", "/v1/dumps/{id}", || get(stored_file)),
    ("get", "/v1/given-up", || get(given_up)),
    ("get", "/metrics", || get(metrics)),
    ("get", "/openapi.json", || get(description)),
    ("get", "/", || get(description)),
];

/// The routes, for clients that may use them.
pub(super) fn all(owner: Owner) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, (_, path, answer)| router.route(path, answer()))
        .fallback(async || Problem::new(Kind::NotFound, "there is no such path: /openapi.json tells which there are"))
        .method_not_allowed_fallback(async || {
            Problem::new(Kind::Method, "this path does not take that method: /openapi.json tells which it takes")
        })
        .with_state(owner)
}

/// The figures alone.
pub(super) fn figures(requests: mpsc::Sender<Request>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .fallback(async || Problem::new(Kind::NotFound, "there is only /metrics here"))
        .with_state(Owner::new(requests))
}

/// What a user may ask for who is given only what is his own.
pub(super) fn of_a_user(owner: Owner, turn: Arc<Semaphore>) -> Router {
    let owner = Owner { turn: Some(turn), ..owner };
    refused().route("/v1/dumps", get(stored)).route("/v1/dumps/{id}", get(stored_file)).with_state(owner)
}

/// What all others get.
pub(super) fn refused<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let sentence = format!(
        "only root and members of the group {} may talk to the traceloop daemon (adduser USER {0}); list, info, show and \
         export give everybody what is his of stored dumps",
        super::peer::GROUP
    );
    let forbidden = Problem::new(Kind::Forbidden, sentence);
    let refuse = forbidden.clone();
    Router::new().fallback(async move || forbidden).method_not_allowed_fallback(async move || refuse)
}

/// Where questions go, and how much may be under way.
#[derive(Clone, Debug)]
pub struct Owner {
    requests: mpsc::Sender<Request>,
    dumps: Arc<Semaphore>,
    untaken: Arc<Semaphore>,
    counted: Arc<Semaphore>,
    looked_for: Arc<Semaphore>,
    /// The same for users who are given only what is theirs, and the turn of the one who asks.
    users: Arc<Semaphore>,
    turn: Option<Arc<Semaphore>>,
    /// Who asks.
    peer: Peer,
}

impl Owner {
    pub(super) fn new(requests: mpsc::Sender<Request>) -> Self {
        let semaphore = |count: usize| Arc::new(Semaphore::new(count));
        let (dumps, untaken) = (semaphore(DUMPS), semaphore(UNTAKEN as usize));
        let (counted, looked_for, users) = (semaphore(COUNTED), semaphore(LOOKED_FOR), semaphore(USERS));
        Self { requests, dumps, untaken, counted, looked_for, users, turn: None, peer: Peer::default() }
    }

    /// The same, asked by that client.
    pub(super) fn asked_by(&self, peer: Peer) -> Self {
        Self { peer, ..self.clone() }
    }

    async fn ask<T>(&self, question: impl FnOnce(Reply<T>) -> Request) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.requests.send(question(reply)).await.ok()?;
            answer.await.ok()
        };
        match timeout(ANSWER_WITHIN, asked).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(Problem::new(Kind::Busy, "the daemon is stopping")),
            Err(_) => Err(busy()),
        }
    }

    /// A place among those for whom the store is looked at.
    async fn look(&self) -> Result<Vec<OwnedSemaphorePermit>, Problem> {
        if let Some(turn) = self.turn.clone() {
            let both = async { Ok(vec![turn.acquire_owned().await?, self.users.clone().acquire_owned().await?]) };
            return match timeout(ANSWER_WITHIN, both).await {
                Ok(Ok::<_, AcquireError>(places)) => Ok(places),
                _ => Err(busy()),
            };
        }
        self.looked_for.clone().try_acquire_owned().map(|place| vec![place]).map_err(|_| {
            Problem::new(Kind::Busy, format!("stored dumps are read by {LOOKED_FOR} clients already: that is the most"))
        })
    }

    /// A place among those whose dumps are made.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        match timeout(ANSWER_WITHIN, self.dumps.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(busy()),
        }
    }
}

fn busy() -> Problem {
    Problem::new(Kind::Busy, "the daemon is busy: try again in a bit")
}

async fn status(State(owner): State<Owner>) -> Result<Json<Status>, Problem> {
    owner.ask(Request::Status).await.map(Json)
}

async fn tracks(State(owner): State<Owner>, which: WhichTracks) -> Result<Json<Vec<Track>>, Problem> {
    owner.ask(|reply| Request::Tracks(which.0, reply)).await.map(Json)
}

async fn given_up(State(owner): State<Owner>) -> Result<Json<Vec<GivenUp>>, Problem> {
    owner.ask(Request::GivenUp).await.map(Json)
}

async fn track(State(owner): State<Owner>, id: Id) -> Result<Json<Track>, Problem> {
    owner.ask(|reply| Request::Track(id.0, reply)).await.map(Json)
}

async fn add(State(owner): State<Owner>, request: HttpRequest) -> Result<(StatusCode, Json<Track>), Problem> {
    let add: Add = body(request).await?;
    let track = owner.ask(|reply| Request::Add(add, owner.peer.clone(), reply)).await?;
    Ok((StatusCode::CREATED, Json(track)))
}

async fn close(State(owner): State<Owner>, id: Id) -> Result<StatusCode, Problem> {
    owner.ask(|reply| Request::Close(id.0, owner.peer.clone(), reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn triggers(State(owner): State<Owner>) -> Result<Json<Vec<Trigger>>, Problem> {
    owner.ask(Request::Triggers).await.map(Json)
}

async fn add_trigger(State(owner): State<Owner>, request: HttpRequest) -> Result<(StatusCode, Json<Trigger>), Problem> {
    let add: AddTrigger = body(request).await?;
    let trigger = owner.ask(|reply| Request::AddTrigger(add, owner.peer.clone(), reply)).await?;
    Ok((StatusCode::CREATED, Json(trigger)))
}

async fn remove_trigger(State(owner): State<Owner>, id: Id) -> Result<StatusCode, Problem> {
    owner.ask(|reply| Request::RemoveTrigger(id.0, owner.peer.clone(), reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn fire(State(owner): State<Owner>, request: HttpRequest) -> Result<(StatusCode, Json<Saved>), Problem> {
    let fire: Fire = body(request).await?;
    let _place = owner.place().await?;
    let saved = owner.ask(|reply| Request::Fire(fire, owner.peer.clone(), reply)).await?;
    Ok((StatusCode::CREATED, Json(saved)))
}

async fn stuck(State(owner): State<Owner>, what: WhatIsStuck) -> Result<Json<Vec<Stuck>>, Problem> {
    let _place = owner.place().await?;
    owner.ask(|reply| Request::Stuck(what.0, owner.peer.clone(), reply)).await.map(Json)
}

async fn dump(State(owner): State<Owner>, id: Id) -> Result<Response, Problem> {
    dumped(owner, Which::Track(id.0)).await
}

async fn dump_of(State(owner): State<Owner>, target: OneTarget) -> Result<Response, Problem> {
    dumped(owner, Which::Target(target.0)).await
}

async fn dumped(owner: Owner, which: Which) -> Result<Response, Problem> {
    let place = owner.place().await?;
    let file = Bytes::from(owner.ask(|reply| Request::Dump(which, owner.peer.clone(), reply)).await?);
    drop(place);
    let kib = u32::try_from(file.len() / 1024).unwrap_or(u32::MAX).clamp(1, UNTAKEN);
    let Ok(untaken) = owner.untaken.clone().try_acquire_many_owned(kib) else { return Err(busy()) };
    let length = file.len();
    let pieces = (0..length).step_by(PIECE).map(move |from| {
        let _held = &untaken;
        Ok::<_, std::convert::Infallible>(file.slice(from..length.min(from + PIECE)))
    });
    let body = Body::from_stream(tokio_stream::iter(pieces));
    Ok((dump_head(length as u64), body).into_response())
}

async fn save(State(owner): State<Owner>, id: Id) -> Result<(StatusCode, Json<Saved>), Problem> {
    let _place = owner.place().await?;
    let saved = owner.ask(|reply| Request::Save(id.0, owner.peer.clone(), reply)).await?;
    Ok((StatusCode::CREATED, Json(saved)))
}

async fn follow(State(owner): State<Owner>, id: Id, how: HowToFollow) -> Result<Response, Problem> {
    followed(owner, FollowWanted { which: Which::Track(id.0), slower: how.slower, wait: false }).await
}

async fn follow_of(State(owner): State<Owner>, what: WhatToFollow) -> Result<Response, Problem> {
    let WhatToFollow { target, slower, wait } = what;
    followed(owner, FollowWanted { which: Which::Target(target), slower, wait }).await
}

async fn followed(owner: Owner, wanted: FollowWanted) -> Result<Response, Problem> {
    let news = owner.ask(|reply| Request::Follow(wanted, owner.peer.clone(), reply)).await?;
    let frames = ReceiverStream::new(news).map(Ok::<_, std::convert::Infallible>);
    Ok(([(header::CONTENT_TYPE, "application/vnd.traceloop.news")], Body::from_stream(frames)).into_response())
}

async fn stored(owner: State<Owner>, which: WhatToList) -> Result<Response, Problem> {
    listed(owner, which.0).await
}

async fn stream(owner: State<Owner>, which: WhatToList) -> Result<Response, Problem> {
    listed(owner, WhichDumps { follow: true, ..which.0 }).await
}

async fn listed(State(owner): State<Owner>, which: WhichDumps) -> Result<Response, Problem> {
    let place = owner.look().await?;
    let lines = owner.ask(|reply| Request::Stored(which, owner.peer.clone(), reply)).await?;
    let lines = ReceiverStream::new(lines).map(move |line| {
        let _held = &place;
        Ok::<_, std::convert::Infallible>(line)
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

async fn stored_file(State(owner): State<Owner>, id: DumpId) -> Result<Response, Problem> {
    let place = owner.look().await?;
    let (length, pieces) = owner.ask(|reply| Request::StoredFile(id.0, owner.peer.clone(), reply)).await?;
    let pieces = ReceiverStream::new(pieces).map(move |piece| {
        let _held = &place;
        piece
    });
    Ok((dump_head(length), Body::from_stream(pieces)).into_response())
}

fn dump_head(length: u64) -> [(header::HeaderName, String); 2] {
    [(header::CONTENT_TYPE, "application/vnd.traceloop.dump".to_owned()), (header::CONTENT_LENGTH, length.to_string())]
}

/// One reading a line.
async fn counts(State(owner): State<Owner>, count: WhatToCount) -> Result<Response, Problem> {
    let Ok(place) = owner.counted.clone().try_acquire_owned() else {
        let sentence = format!("calls are counted for {COUNTED} clients already: that is the most");
        return Err(Problem::new(Kind::Busy, sentence));
    };
    let readings = owner.ask(|reply| Request::Count(count.0, reply)).await?;
    let lines = ReceiverStream::new(readings).map(move |reading| {
        let _held = &place;
        let mut line = serde_json::to_vec(&reading)?;
        line.push(b'\n');
        serde_json::Result::Ok(line)
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

async fn metrics(State(owner): State<Owner>) -> Result<Response, Problem> {
    let text = owner.ask(Request::Metrics).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

/// A request's body, if it comes whole, in time, and is what is asked for.
async fn body<T: DeserializeOwned>(request: HttpRequest) -> Result<T, Problem> {
    let whole = Limited::new(request.into_body(), BODY_MOST).collect();
    let bytes = match timeout(BODY_WITHIN, whole).await {
        Err(_) => return Err(Problem::new(Kind::Slow, "the request's body did not come in time")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Problem::new(Kind::TooLarge, format!("a request's body is at most {BODY_MOST} bytes")));
        }
        Ok(Err(error)) => return Err(Problem::new(Kind::Wrong, format!("the request's body is broken: {error}"))),
        Ok(Ok(body)) => body.to_bytes(),
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(Kind::Wrong, format!("the request's body is not what /openapi.json says: {error}"))
    })
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = match self.kind {
            Kind::Wrong => StatusCode::BAD_REQUEST,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Method => StatusCode::METHOD_NOT_ALLOWED,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Slow => StatusCode::REQUEST_TIMEOUT,
            Kind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(Refusal { error: self.sentence })).into_response()
    }
}
