//! The control socket: how other programs reach a running register.
//!
//! Room: app. May touch: one Unix socket in the shop folder (mode 0600).
//! One JSON line in, one JSON line out. A line is at most 64 KB; a client that says nothing for ten
//! seconds is let go; eight clients at most.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};

use super::aside::Task;
use super::reply::Reply;
use super::showcase::Showcase;
use crate::screens::CustomerView;

const LONGEST_LINE: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);
/// The journal of ten years takes a while to write out.
const LONG_PATIENCE: Duration = Duration::from_secs(600);
/// A display hears from the register at least so often.
const STILL_THERE: Duration = Duration::from_secs(5);
const MOST_CLIENTS: usize = 8;

/// What a client asks: one line of the command language, or of the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub line: String,
    /// In place of a line: work that is no command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// In place of a line: what the customer sees, now and whenever it changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub display: bool,
}

impl Request {
    /// How long its answer may take.
    fn patience(&self) -> Duration {
        if self.task.as_ref().is_some_and(Task::is_long) { LONG_PATIENCE } else { PATIENCE }
    }
}

/// A request and where its answer goes.
#[derive(Debug)]
pub struct Asked {
    pub request: Request,
    pub answer: Sender<Reply>,
}

/// The listening end; dropping it removes the socket file.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
}

pub fn socket_path(shop: &Path) -> PathBuf {
    shop.join("control.sock")
}

impl ControlSocket {
    /// Listens in the shop folder; each request goes through `deliver`, which answers false when the
    /// register is going away.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn listen<F>(shop: &Path, showcase: Arc<Showcase>, deliver: F) -> io::Result<Self>
    where
        F: Fn(Asked) -> bool + Send + Sync + 'static,
    {
        let path = socket_path(shop);
        // The shop's lock is held, so a socket file here is a dead register's.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || accept(&listener, showcase, Arc::new(deliver)))?;
        Ok(Self { path })
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn accept<F>(listener: &UnixListener, showcase: Arc<Showcase>, deliver: Arc<F>)
where
    F: Fn(Asked) -> bool + Send + Sync + 'static,
{
    let clients = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming().flatten() {
        if clients.fetch_add(1, Ordering::AcqRel) >= MOST_CLIENTS {
            clients.fetch_sub(1, Ordering::AcqRel);
            continue; // Dropping the stream tells the client.
        }
        let (clients, deliver) = (Arc::clone(&clients), Arc::clone(&deliver));
        let showcase = Arc::clone(&showcase);
        let served = std::thread::Builder::new().name("client".to_owned()).spawn(move || {
            let _ = serve(stream, &showcase, &*deliver); // A client that breaks off is not our trouble.
            clients.fetch_sub(1, Ordering::AcqRel);
        });
        if served.is_err() {
            return;
        }
    }
}

fn serve(
    stream: UnixStream,
    showcase: &Showcase,
    deliver: &dyn Fn(Asked) -> bool,
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(line) = read_line(&mut reader)? {
        let reply = match serde_json::from_str::<Request>(&line) {
            Ok(request) if request.display => return show(writer, request, showcase, deliver),
            Ok(request) => ask(request, deliver),
            Err(error) => Reply::refused("", "bad_argument", error.to_string()),
        };
        writeln!(writer, "{}", reply.json())?;
    }
    Ok(())
}

/// Tells a display what the customer sees, until it has gone.
fn show(
    mut writer: UnixStream,
    request: Request,
    showcase: &Showcase,
    deliver: &dyn Fn(Asked) -> bool,
) -> io::Result<()> {
    let mut watcher = showcase.watch();
    let (answer, _) = bounded(1);
    if !deliver(Asked { request, answer }) {
        return Ok(()); // The register is going away.
    }
    loop {
        let view = watcher.next(STILL_THERE);
        writeln!(writer, "{}", serde_json::to_string(&view).map_err(io::Error::other)?)?;
    }
}

fn ask(request: Request, deliver: &dyn Fn(Asked) -> bool) -> Reply {
    let (answer, answered): (_, Receiver<Reply>) = bounded(1);
    let (line, patience) = (request.line.clone(), request.patience());
    let gone = || Reply::refused(&line, "busy", String::new());
    if !deliver(Asked { request, answer }) {
        return gone();
    }
    answered.recv_timeout(patience).unwrap_or_else(|_| gone())
}

/// Reads one line of bounded length; `None` at the end of the stream.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = reader.by_ref().take(LONGEST_LINE).read_line(&mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if !line.ends_with('\n') && read as u64 == LONGEST_LINE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(Some(line))
}

/// The asking end.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
}

impl Client {
    /// Reaches the register that runs on a shop.
    ///
    /// # Errors
    /// When none listens there.
    pub fn connect(shop: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket_path(shop))?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// Asks one line and waits for its answer.
    ///
    /// # Errors
    /// When the register went away meanwhile.
    pub fn ask(&mut self, line: &str) -> io::Result<Reply> {
        self.request(&Request { line: line.to_owned(), task: None, display: false })
    }

    /// Hears what the customer sees, until `shown` answers false.
    ///
    /// # Errors
    /// When the register went away meanwhile.
    pub fn follow(mut self, mut shown: impl FnMut(CustomerView) -> bool) -> io::Result<()> {
        let request = Request { line: String::new(), task: None, display: true };
        let text = serde_json::to_string(&request).map_err(io::Error::other)?;
        writeln!(self.reader.get_mut(), "{text}")?;
        self.reader.get_ref().set_read_timeout(Some(STILL_THERE * 3))?;
        while let Some(line) = read_line(&mut self.reader)? {
            if !shown(serde_json::from_str(&line).map_err(io::Error::other)?) {
                return Ok(());
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// Asks for work beside the counter, and waits for its end.
    ///
    /// # Errors
    /// When the register went away meanwhile.
    pub fn give(&mut self, task: Task) -> io::Result<Reply> {
        self.request(&Request { line: String::new(), task: Some(task), display: false })
    }

    fn request(&mut self, request: &Request) -> io::Result<Reply> {
        self.reader.get_ref().set_read_timeout(Some(request.patience() * 2))?;
        let text = serde_json::to_string(request).map_err(io::Error::other)?;
        writeln!(self.reader.get_mut(), "{text}")?;
        let mut answer = String::new();
        if self.reader.read_line(&mut answer)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        serde_json::from_str(&answer).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_answered_and_nonsense_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let socket = ControlSocket::listen(folder.path(), Arc::default(), |asked| {
            let reply = Reply::done(&asked.request.line);
            asked.answer.send(reply).is_ok()
        })
        .unwrap();
        let mode = std::fs::metadata(socket_path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let mut client = Client::connect(folder.path()).unwrap();
        assert_eq!(client.ask("journal").unwrap(), Reply::done("journal"));
        writeln!(client.reader.get_mut(), "not json").unwrap();
        let mut answer = String::new();
        client.reader.read_line(&mut answer).unwrap();
        assert!(answer.contains("bad_argument"), "{answer}");

        drop(socket);
        assert!(Client::connect(folder.path()).is_err());
    }

    #[test]
    fn a_flood_without_an_end_is_cut_off() {
        let flood = vec![b'x'; LONGEST_LINE as usize + 10];
        assert!(read_line(&mut BufReader::new(flood.as_slice())).is_err());
    }
}
