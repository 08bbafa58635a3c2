//! One connection to a service manager, over a bus or over its own socket: from its signals to `Failures`.

use std::{
    collections::HashMap,
    convert::Infallible,
    num::NonZeroUsize,
    pin::Pin,
    time::{Duration, Instant},
};

use tokio::{sync::mpsc::Sender, time};
use tokio_stream::StreamExt;
use tracing::debug;
use zbus::{
    Connection, MessageStream, OwnedObjectPath, OwnedVariant, Variant, connection,
    fdo::{self, DBusProxy},
    message::{Message, Type},
    names::OwnedUniqueName,
};

use super::failures::{Failures, Told, UnitFailed, unit_of};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const BUS: &str = "org.freedesktop.DBus";
const CALL: Duration = Duration::from_secs(10);

/// Signals may come in storms, and none may wait for an answer of ours.
const QUEUE: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");
/// A manager of a user may be anything that runs as the user: this many signals are taken in this time, and no
/// more wait in memory than that.
const QUEUE_OF_USER: NonZeroUsize = NonZeroUsize::new(64).expect("not zero");
const AT_ONCE: u32 = 200;
const SPAN: Duration = Duration::from_millis(100);

/// What we want to hear. systemd sends the first two only while somebody has subscribed.
const RULES: [&str; 3] = [
    "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.DBus.Properties',\
     member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/unit'",
    "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',\
     member='UnitRemoved'",
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.systemd1'",
];

/// The part of systemd's interface that is needed.
#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1"
)]
trait Manager {
    fn subscribe(&self) -> zbus::Result<()>;
    fn list_units(&self) -> zbus::Result<Vec<ListedUnit>>;
}

/// Name, description, load state, active state, sub state, followed unit, path, job.
type ListedUnit = (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

type Known = Vec<(String, Told)>;
type Survey<'a> = Pin<Box<dyn Future<Output = zbus::Result<Known>> + Send + 'a>>;

/// Listens until the connection ends; `connected` is called when it stands and systemd answers. `user`: whose
/// manager it is.
pub(super) async fn listen(
    manager: connection::Builder<'_>,
    user: Option<u32>,
    failures: &mut Failures,
    tell: &Sender<UnitFailed>,
    connected: impl FnOnce() + Send,
) -> zbus::Result<Infallible> {
    let queue = if user.is_some() { QUEUE_OF_USER } else { QUEUE };
    let connection = manager.max_queued(queue).method_timeout(CALL).build().await?;
    let mut messages = MessageStream::from(&connection);
    let mut owner = if connection.is_bus() { Some(ask_bus(&connection).await?) } else { None };
    let mut survey: Option<Survey<'_>> = Some(Box::pin(survey_units(&connection)));
    let mut connected = Some(connected);
    let mut pace = Pace { since: Instant::now(), taken: 0 };
    loop {
        let deadline = failures.deadline();
        let found = tokio::select! {
            message = messages.next() => {
                let message = message.ok_or(zbus::Error::InputOutput(std::sync::Arc::new(
                    std::io::ErrorKind::ConnectionReset.into(),
                )))??;
                if user.is_some() {
                    pace.keep().await;
                }
                if connection.is_bus() {
                    if let Some(new) = new_owner(&message) {
                        owner = new;
                        // systemd came again: it may have forgotten that we listen.
                        survey = owner.is_some().then(|| Box::pin(survey_units(&connection)) as Survey<'_>);
                        continue;
                    }
                    if owner.as_ref().is_none_or(|owner| message.header().sender() != Some(owner)) {
                        continue;
                    }
                }
                take_in(&message, failures)
            }
            known = async { survey.as_mut().expect("guarded").await }, if survey.is_some() => {
                survey = None;
                let mut found = Vec::new();
                for (unit, told) in known? {
                    found.extend(failures.told(&unit, told, true, Instant::now()));
                }
                if let Some(connected) = connected.take() {
                    connected();
                }
                found
            }
            () = time::sleep_until(deadline.unwrap_or_else(Instant::now).into()), if deadline.is_some() => {
                failures.overdue(Instant::now())
            }
        };
        for failed in found {
            debug!(unit = failed.unit, result = failed.result, invocation = failed.invocation, "a unit failed");
            // The receiver's end is seen where the sender lives.
            let _ = tell.send(UnitFailed { user, ..failed }).await;
        }
    }
}

/// How many signals came in the last span of time.
struct Pace {
    since: Instant,
    taken: u32,
}

impl Pace {
    /// Waits, if there were too many.
    async fn keep(&mut self) {
        self.taken += 1;
        if self.taken > AT_ONCE {
            time::sleep_until((self.since + SPAN).into()).await;
        }
        if self.since.elapsed() >= SPAN {
            (self.since, self.taken) = (Instant::now(), 0);
        }
    }
}

/// Asks the bus for systemd's signals. A stranger may send some that look like them: only the name's owner is
/// believed.
async fn ask_bus(connection: &Connection) -> zbus::Result<OwnedUniqueName> {
    let bus = DBusProxy::new(connection).await?;
    for rule in RULES {
        bus.add_match_rule(rule.try_into()?).await?;
    }
    Ok(bus.get_name_owner(SYSTEMD.try_into()?).await?)
}

/// Asks systemd to send signals, and which units have failed already.
async fn survey_units(connection: &Connection) -> zbus::Result<Known> {
    let manager = ManagerProxy::new(connection).await?;
    match manager.subscribe().await {
        Err(zbus::Error::MethodError(name, ..)) if name == "org.freedesktop.systemd1.AlreadySubscribed" => (),
        other => other?,
    }
    let mut known = Vec::new();
    for (unit, _, _, active, sub, _, path, ..) in manager.list_units().await? {
        if active == "failed" || sub.starts_with("auto-restart") {
            let properties = fdo::PropertiesProxy::builder(connection).destination(SYSTEMD).path(path).build().await?;
            // All interfaces at once; a unit may be gone since the list was made.
            let all: fdo::Result<HashMap<String, OwnedVariant>> =
                properties.inner().call("GetAll", &("",)).await.map_err(Into::into);
            match all {
                Ok(all) => known.push((unit, told(all.iter().map(|(name, value)| (name.as_str(), &**value))))),
                Err(error) => debug!(unit, %error, "a failed unit cannot be asked"),
            }
        }
    }
    Ok(known)
}

/// The bus tells that systemd's name has a new owner, or none.
fn new_owner(message: &Message) -> Option<Option<OwnedUniqueName>> {
    let header = message.header();
    let from_bus = header.sender().is_some_and(|sender| sender.as_str() == BUS);
    if !from_bus || header.member().is_none_or(|member| member.as_str() != "NameOwnerChanged") {
        return None;
    }
    let body = message.body();
    let (name, _, new) = body.deserialize::<(&str, &str, &str)>().ok()?;
    (name == SYSTEMD).then(|| OwnedUniqueName::try_from(new.to_owned()).ok())
}

fn take_in(message: &Message, failures: &mut Failures) -> Vec<UnitFailed> {
    let header = message.header();
    if message.message_type() != Type::Signal {
        return Vec::new();
    }
    let body = message.body();
    match header.member().map(|member| member.as_str()) {
        Some("UnitRemoved") => {
            let removed = body.deserialize::<(&str, zbus::ObjectPath<'_>)>();
            removed.ok().and_then(|(unit, _)| failures.removed(unit)).into_iter().collect()
        }
        Some("PropertiesChanged") => {
            let Some(unit) = header.path().and_then(|path| unit_of(path.as_str())) else { return Vec::new() };
            let Ok((_, changed, _)) = body.deserialize::<(&str, HashMap<&str, Variant<'_>>, Vec<&str>)>() else {
                debug!(unit, "a signal of systemd is not understood");
                return Vec::new();
            };
            let told = told(changed.iter().map(|(name, value)| (*name, value)));
            failures.told(&unit, told, false, Instant::now())
        }
        _ => Vec::new(),
    }
}

/// Picks out of a unit's properties what failures are made of.
fn told<'a>(properties: impl Iterator<Item = (&'a str, &'a Variant<'a>)>) -> Told {
    let mut told = Told::default();
    for (name, value) in properties {
        match (name, value) {
            ("Result", Variant::Str(text)) => told.result = Some(text.to_string()).filter(|text| is_word(text)),
            ("ActiveState", Variant::Str(text)) => told.active = Some(text.to_string()),
            ("ExecMainCode", Variant::I32(code)) => told.code = Some(*code),
            ("ExecMainStatus", Variant::I32(status)) => told.status = Some(*status),
            ("ExecMainExitTimestampMonotonic", Variant::U64(time)) => told.exited = Some(*time),
            ("ExecMainPID", Variant::U32(pid)) => told.pid = Some(*pid),
            ("ExecMainStartTimestampMonotonic", Variant::U64(time)) => told.main_began = Some(*time),
            ("InactiveExitTimestampMonotonic", Variant::U64(time)) => told.began = Some(*time),
            ("ActiveEnterTimestampMonotonic", Variant::U64(time)) => told.activated = Some(*time),
            ("ActiveExitTimestampMonotonic", Variant::U64(time)) => told.deactivated = Some(*time),
            ("InvocationID", value) => {
                let bytes = Vec::<u8>::try_from(value.clone()).unwrap_or_default();
                let id = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                told.invocation = Some(id).filter(|_| matches!(bytes.len(), 0 | 16));
            }
            _ => (),
        }
    }
    told
}

/// `exit-code`; what is none is not taken from anybody.
fn is_word(text: &str) -> bool {
    text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}
