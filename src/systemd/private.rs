//! The socket that a service manager keeps for itself: D-Bus without a bus between. Root may speak there with a
//! user's manager, which no user's bus allows. Whoever runs as that user may put something else in its place,
//! so nothing that comes is larger than a manager's messages are.

use std::{
    io::{self, ErrorKind},
    os::fd::{BorrowedFd, OwnedFd},
    path::Path,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use zbus::{
    connection::{
        Builder,
        socket::{ReadHalf, Socket, Split, WriteHalf},
    },
    export::async_trait::async_trait,
};

/// The head of a message that every message has, and what it says of the rest: byte order, kind, flags, version,
/// length of the body, serial number, length of the fields, which are filled up to eight bytes.
const HEAD: usize = 16;
/// `OK` and the manager's number.
const ANSWER: usize = 256;

/// Connects and says who we are; messages of more than `largest` bytes end the connection.
pub(super) async fn connect(socket: &Path, largest: usize) -> zbus::Result<Builder<'static>> {
    let mut stream = UnixStream::connect(socket).await?;
    let user: String = nix::unistd::geteuid().to_string().bytes().map(|digit| format!("{digit:02x}")).collect();
    // In one piece, and nothing behind it before the answer: what a manager reads together with BEGIN, it leaves
    // alone until more comes.
    stream.write_all(format!("\0AUTH EXTERNAL {user}\r\nBEGIN\r\n").as_bytes()).await?;
    let answer = line(&mut stream).await?;
    let Some(guid) = answer.strip_prefix("OK ").map(str::to_owned) else {
        return Err(zbus::Error::Handshake(format!("the service manager refuses: {}", answer.escape_debug())));
    };
    Ok(Builder::authenticated_socket(Limited { stream, largest }, guid).p2p())
}

/// One line of the greeting, without its end. Nothing follows it before we answer.
async fn line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = Vec::new();
    while line.len() < ANSWER {
        line.push(stream.read_u8().await?);
        if let Some(text) = line.strip_suffix(b"\r\n") {
            return Ok(String::from_utf8_lossy(text).into_owned());
        }
    }
    Err(io::Error::new(ErrorKind::InvalidData, "the greeting has no end"))
}

#[derive(Debug)]
struct Limited {
    stream: UnixStream,
    largest: usize,
}

/// Gives heads and what follows them separately: a length is seen before anybody makes room for it.
#[derive(Debug)]
struct Reader {
    stream: OwnedReadHalf,
    largest: usize,
    head: Vec<u8>,
    /// Bytes of the message that are still to come, after its head.
    rest: usize,
}

#[derive(Debug)]
struct Writer(OwnedWriteHalf);

impl Socket for Limited {
    type ReadHalf = Reader;
    type WriteHalf = Writer;

    fn split(self) -> Split<Reader, Writer> {
        let (read, write) = self.stream.into_split();
        let reader = Reader { stream: read, largest: self.largest, head: Vec::new(), rest: 0 };
        Split::new(reader, Writer(write))
    }
}

/// How long a message is behind its head.
fn rest_of(head: &[u8]) -> Option<usize> {
    let number = |at: usize| {
        let bytes = head.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(if head[0] == b'B' { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }).ok()
    };
    number(12)?.checked_next_multiple_of(8)?.checked_add(number(4)?)
}

/// The manager gives its well-known name as the sender, where zbus knows unique names only: it becomes one of the
/// same length.
fn rename_sender(message: &mut [u8]) {
    const FIELD: &[u8] = b"\x07\x01s\0\x18\0\0\0org.freedesktop.systemd1";
    const FIRST_LETTER: usize = 8;
    if let Some(at) = message.windows(FIELD.len()).position(|window| window == FIELD) {
        message[at + FIRST_LETTER] = b':';
    }
}

#[async_trait]
impl ReadHalf for Reader {
    async fn recvmsg(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        if self.rest > 0 {
            let count = buffer.len().min(self.rest);
            self.stream.read_exact(&mut buffer[..count]).await?;
            self.rest -= count;
            rename_sender(&mut buffer[..count]);
            return Ok((count, Vec::new()));
        }
        let most = buffer.len().min(HEAD - self.head.len());
        let count = self.stream.read(&mut buffer[..most]).await?;
        self.head.extend_from_slice(&buffer[..count]);
        if self.head.len() == HEAD {
            let too_large = || io::Error::new(ErrorKind::InvalidData, "a message is larger than a service manager's");
            self.rest = rest_of(&self.head).filter(|rest| *rest <= self.largest).ok_or_else(too_large)?;
            self.head.clear();
        }
        Ok((count, Vec::new()))
    }
}

#[async_trait]
impl WriteHalf for Writer {
    async fn sendmsg(&mut self, bytes: &[u8], _: &[BorrowedFd<'_>]) -> io::Result<usize> {
        self.0.write(bytes).await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    /// What a client sees of one that greets so.
    async fn greeted(greeting: &[u8]) -> zbus::Result<zbus::Connection> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("private");
        let listener = UnixListener::bind(&path).unwrap();
        let greeting = greeting.to_vec();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(&greeting).await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        });
        connect(&path, 1 << 20).await?.build().await
    }

    const OK: &[u8] = b"OK 379f31b4c86949a1aef6fbeef37b71f1\r\n";

    #[tokio::test]
    async fn greetings() {
        assert!(greeted(OK).await.is_ok());
        let refused = greeted(b"REJECTED EXTERNAL\r\n").await.unwrap_err().to_string();
        assert!(refused.contains("refuses: REJECTED EXTERNAL"), "{refused}");
        assert!(greeted(&[b'x'; 1000]).await.unwrap_err().to_string().contains("no end"));
        assert!(greeted(b"OK nonsense\r\n").await.is_err());
    }

    #[tokio::test]
    async fn a_message_without_measure_ends_the_connection() {
        use tokio_stream::StreamExt;
        let head = [b'l', 4, 0, 1, 0, 0, 0, 7, 1, 0, 0, 0, 16, 0, 0, 0];
        let connection = greeted(&[OK, &head].concat()).await.unwrap();
        let mut messages = zbus::MessageStream::from(&connection);
        let ended = tokio::time::timeout(std::time::Duration::from_secs(5), messages.next()).await.unwrap();
        let error = ended.expect("it tells why").unwrap_err().to_string();
        assert!(error.contains("larger"), "{error}");
    }

    /// A signal without arguments of the manager, and the unit that it is about.
    fn signal() -> Vec<u8> {
        let field = |code: u8, kind: u8, text: &str| {
            let mut bytes =
                [&[code, 1, kind, 0], &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes(), &[0]]
                    .concat();
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes
        };
        let fields = [
            field(1, b'o', "/org/freedesktop/systemd1"),
            field(2, b's', "org.freedesktop.systemd1.Manager"),
            field(3, b's', "Reloading"),
            field(7, b's', "org.freedesktop.systemd1"),
        ];
        let fields = fields.concat();
        // The filling behind the last field is not counted.
        let length = u32::try_from(fields.len() - 7).unwrap();
        [&[b'l', 4, 0, 1, 0, 0, 0, 0, 9, 0, 0, 0][..], &length.to_le_bytes(), &fields].concat()
    }

    #[tokio::test]
    async fn the_managers_own_messages_are_understood() {
        use tokio_stream::StreamExt;
        let connection = greeted(&[OK, &signal(), &signal()].concat()).await.unwrap();
        let mut messages = zbus::MessageStream::from(&connection);
        let message = tokio::time::timeout(std::time::Duration::from_secs(5), messages.next()).await.unwrap();
        let message = message.expect("it comes").unwrap();
        assert_eq!(message.header().member().map(|member| member.as_str()), Some("Reloading"));
    }

    #[test]
    fn lengths() {
        assert_eq!(rest_of(&signal()), Some(signal().len() - HEAD));
        let head = [b'B', 1, 0, 1, 0, 0, 0, 100, 0, 0, 0, 1, 0, 0, 0, 1];
        assert_eq!(rest_of(&head), Some(8 + 100));
        assert_eq!(rest_of(&[0xff; 16]), Some(0x1_0000_0000 + 0xffff_ffff));
    }
}
