//! Apache Parquet: a table of events for DuckDB, pandas, Spark and their like, a column for each field of the JSON lines
//! that is no list. What the dump says of itself stands in the file's metadata, as `traceloop.dump`.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use crate::model::{Dump, Event, Exit, Outcome, Step, What, errno_name, signal_name};

/// The columns, in the order of `Rows::write`.
const SCHEMA: &str = "message event {
    required int64 ts (TIMESTAMP(NANOS,true));
    required binary type (STRING);
    optional binary target (STRING);
    required int64 pid;
    required int64 tid;
    optional int32 cpu;
    required binary comm (STRING);
    optional binary syscall (STRING);
    optional int32 nr;
    optional binary args (STRING);
    optional int64 ret;
    optional binary errno (STRING);
    optional binary result (STRING);
    optional int64 duration_ns;
    optional binary signal (STRING);
    optional int32 status;
}";
/// So many rows are written together.
const ROWS: usize = 1 << 16;

/// A column with what is missing in it.
#[derive(Debug)]
struct Column<T> {
    values: Vec<T>,
    levels: Vec<i16>,
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self { values: Vec::new(), levels: Vec::new() }
    }
}

impl<T> Column<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }

    fn clear(&mut self) {
        self.values.clear();
        self.levels.clear();
    }
}

/// Rows that wait to be written.
#[derive(Debug, Default)]
struct Rows {
    ts: Column<i64>,
    kind: Column<ByteArray>,
    target: Column<ByteArray>,
    pid: Column<i64>,
    tid: Column<i64>,
    cpu: Column<i32>,
    comm: Column<ByteArray>,
    syscall: Column<ByteArray>,
    nr: Column<i32>,
    args: Column<ByteArray>,
    ret: Column<i64>,
    errno: Column<ByteArray>,
    result: Column<ByteArray>,
    duration: Column<i64>,
    signal: Column<ByteArray>,
    status: Column<i32>,
}

fn text(text: impl AsRef<str>) -> ByteArray {
    text.as_ref().as_bytes().to_vec().into()
}

fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Rows {
    fn push(&mut self, event: &Event, target: Option<&str>, clock_offset: i64) {
        let call = if let What::Call(call) = &event.what { Some(call) } else { None };
        let (errno, duration, signal, status) = match &event.what {
            What::Call(call) => {
                let errno = if let Outcome::Failed { errno, .. } = call.outcome { Some(errno) } else { None };
                (errno, call.duration, None, None)
            }
            What::Signal(signal) => (None, None, Some(signal.name.to_string()), None),
            What::Exit(Exit::Status(status)) => (None, None, None, Some(i32::from(*status))),
            What::Exit(Exit::Killed { signo, .. }) => (None, None, Some(signal_name(*signo)), None),
            What::Uring(request) => match &request.step {
                Step::Submitted { .. } => (None, None, None, None),
                Step::Completed { result, duration, .. } => (result.err(), *duration, None, None),
            },
            What::Exit(Exit::Superseded { .. })
            | What::Exec { .. }
            | What::Fork { .. }
            | What::Join
            | What::Rename
            | What::Gap(_) => (None, None, None, None),
        };
        self.ts.push(Some(long(event.start.saturating_add_signed(clock_offset))));
        self.kind.push(Some(text(event.what.kind())));
        self.target.push(target.map(text));
        self.pid.push(Some(event.pid.into()));
        self.tid.push(Some(event.tid.into()));
        self.cpu.push(event.cpu.and_then(|cpu| cpu.try_into().ok()));
        self.comm.push(Some(text(event.comm.to_string())));
        self.syscall.push(call.map(|call| text(call.name())));
        self.nr.push(call.map(|call| call.nr));
        self.args.push(call.map(|call| text(&call.text)));
        self.ret.push(call.and_then(|call| match call.outcome {
            Outcome::Returned { value, .. } => Some(value),
            Outcome::Failed { .. } => Some(-1),
            _ => None,
        }));
        self.errno.push(errno.map(|errno| text(errno_name(errno))));
        self.result.push(call.map(|call| text(call.outcome.text())));
        self.duration.push(duration.map(long));
        self.signal.push(signal.map(text));
        self.status.push(status);
    }

    fn len(&self) -> usize {
        self.ts.levels.len()
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, Taken>) -> Result<(), ParquetError> {
        column::<Int64Type, _>(group, &mut self.ts)?;
        column::<ByteArrayType, _>(group, &mut self.kind)?;
        column::<ByteArrayType, _>(group, &mut self.target)?;
        column::<Int64Type, _>(group, &mut self.pid)?;
        column::<Int64Type, _>(group, &mut self.tid)?;
        column::<Int32Type, _>(group, &mut self.cpu)?;
        column::<ByteArrayType, _>(group, &mut self.comm)?;
        column::<ByteArrayType, _>(group, &mut self.syscall)?;
        column::<Int32Type, _>(group, &mut self.nr)?;
        column::<ByteArrayType, _>(group, &mut self.args)?;
        column::<Int64Type, _>(group, &mut self.ret)?;
        column::<ByteArrayType, _>(group, &mut self.errno)?;
        column::<ByteArrayType, _>(group, &mut self.result)?;
        column::<Int64Type, _>(group, &mut self.duration)?;
        column::<ByteArrayType, _>(group, &mut self.signal)?;
        column::<Int32Type, _>(group, &mut self.status)
    }
}

fn column<D: DataType<T = T>, T>(
    group: &mut SerializedRowGroupWriter<'_, Taken>,
    column: &mut Column<T>,
) -> Result<(), ParquetError> {
    let next = group.next_column()?;
    let mut next = next.ok_or_else(|| ParquetError::General("there are fewer columns than fields".to_owned()))?;
    // Of a column that lacks nothing the levels are not looked at.
    next.typed::<D>().write_batch(&column.values, Some(&column.levels), None)?;
    column.clear();
    next.close()
}

/// What was written and has not gone out yet: a writer of Parquet's may go to another thread, which ours may not.
#[derive(Clone, Debug, Default)]
struct Taken(Arc<Mutex<Vec<u8>>>);

impl Taken {
    fn go_out(&self, out: &mut impl Write) -> io::Result<()> {
        let bytes = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        out.write_all(&bytes)
    }
}

impl Write for Taken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a whole dump.
pub(super) fn dump(out: &mut impl Write, dump: &Dump, events: impl Iterator<Item = Event>) -> io::Result<()> {
    let names = dump.names_of_each();
    let about = KeyValue::new("traceloop.dump".to_owned(), super::json(&super::about(dump), false)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("traceloop {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![about]))
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA).map_err(io::Error::other)?);
    let taken = Taken::default();
    let mut writer =
        SerializedFileWriter::new(taken.clone(), schema, Arc::new(properties)).map_err(io::Error::other)?;
    let mut rows = Rows::default();
    let mut events = events.peekable();
    while events.peek().is_some() {
        for event in events.by_ref().take(ROWS) {
            rows.push(&event, names.get(usize::from(event.whose)).map(String::as_str), dump.clock_offset);
        }
        debug_assert!(rows.len() <= ROWS, "no more wait than are taken");
        let mut group = writer.next_row_group().map_err(io::Error::other)?;
        rows.write(&mut group).map_err(io::Error::other)?;
        group.close().map_err(io::Error::other)?;
        taken.go_out(out)?;
    }
    writer.close().map_err(io::Error::other)?;
    taken.go_out(out)
}
