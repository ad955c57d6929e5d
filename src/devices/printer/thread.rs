//! The thread that owns one printer: it carries bytes between the dialogue and the link.
//!
//! Room: devices. May touch: one printer's link, a stopwatch. May not: decide anything (the
//! dialogue does), or wake while nothing is to be done.
//! Invariant: at most `QUEUE` jobs wait, each counted from the moment it is handed over; idle it sleeps
//! in one `poll` without a time-out.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;

use super::dialogue::{Dialogue, Manner, Patience};
use super::link::{Link, Read};
use super::{Address, Job, JobKind, PrinterEvent, Proof, Trouble, folder};

/// Jobs that may wait here; the rest wait in the store's print queue.
const QUEUE: usize = 50;
/// Room in the channel for orders about jobs, beside the jobs.
const SPARE: usize = 14;

enum Order {
    Print(Job),
    Draw(Drawing),
    Withdraw(u64),
    BegunBefore(usize),
    Look,
    Watch(Option<u64>),
    Stop,
}

/// A paper that is still to be drawn.
struct Drawing {
    id: u64,
    name: String,
    draw: Box<dyn FnOnce() -> Vec<u8> + Send>,
}

impl Drawing {
    fn drawn(self) -> Job {
        Job { id: self.id, name: self.name, bytes: (self.draw)(), kind: JobKind::Paper }
    }
}

/// Whether a job was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Submitted {
    Taken,
    /// The queue is full, or the thread has ended.
    Refused,
}

/// A running printer thread. Dropping it ends the thread; what is not sent then stays unsent.
pub struct PrinterHandle {
    orders: Sender<Order>,
    /// Jobs handed over and not ended.
    waiting: Arc<AtomicUsize>,
    wake: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread of one printer. `tell` is called on it for every event and must not wait
/// long; it is called with `FirstByte` before that byte leaves.
pub fn start(
    address: Address,
    manner: Manner,
    patience: Patience,
    tell: impl FnMut(PrinterEvent) + Send + 'static,
) -> io::Result<PrinterHandle> {
    let (orders, inbox) = bounded(QUEUE + SPARE);
    let waiting = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&waiting);
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let bell = Arc::clone(&wake);
    let thread =
        std::thread::Builder::new().name("printer".into()).spawn(move || match address {
            Address::File(folder) => keep(&inbox, &count, tell, |job| save(&folder, job)),
            Address::Screen => keep(&inbox, &count, tell, |_| Ok(None)),
            address => Carrier::new(
                address,
                inbox,
                bell,
                count,
                tell,
                Dialogue::new(manner, patience),
                patience.retry,
            )
            .run(),
        })?;
    Ok(PrinterHandle { orders, waiting, wake, thread: Some(thread) })
}

impl PrinterHandle {
    /// Hands a job over without waiting.
    pub fn submit(&self, job: Job) -> Submitted {
        self.hand_over(Order::Print(job))
    }

    /// Hands a paper over that is drawn on the printer's thread: dots and codes take as long as a
    /// frame of the screen.
    pub fn submit_undrawn(
        &self,
        id: u64,
        name: &str,
        draw: impl FnOnce() -> Vec<u8> + Send + 'static,
    ) -> Submitted {
        self.hand_over(Order::Draw(Drawing { id, name: name.to_owned(), draw: Box::new(draw) }))
    }

    fn hand_over(&self, order: Order) -> Submitted {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= QUEUE || self.orders.try_send(order).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Submitted::Refused;
        }
        self.ring();
        Submitted::Taken
    }

    /// Takes a paper back; it ends `NotSent` if nothing of it has left.
    pub fn withdraw(&self, job: u64) {
        self.give(Order::Withdraw(job));
    }

    /// Says that a paper of this many bytes was begun in a run that was cut off: the printer may
    /// wait for the rest of it.
    pub fn begun_before(&self, bytes: usize) {
        self.give(Order::BegunBefore(bytes));
    }

    /// Asks for the state now; the answer is `Ready` or `Trouble`.
    pub fn look(&self) {
        self.give(Order::Look);
    }

    /// Keeps the link and tells the state while nothing is printed; a printer that tells nothing by
    /// itself is asked `every` so many milliseconds.
    pub fn watch(&self, every: Option<u64>) {
        self.give(Order::Watch(every));
    }

    /// Ends the thread and waits for it: at most one connection attempt long.
    pub fn stop(mut self) {
        drop(self.orders.send(Order::Stop)); // Fails when the thread has ended by itself.
        self.ring();
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // A panic of the thread has been told by the panic hook.
        }
    }

    /// An order that finds the queue full is dropped: there is enough to do.
    fn give(&self, order: Order) {
        drop(self.orders.try_send(order));
        self.ring();
    }

    fn ring(&self) {
        let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes()); // Full means it rings already.
    }
}

impl Drop for PrinterHandle {
    fn drop(&mut self) {
        self.give(Order::Stop);
    }
}

/// Serves a printer that is no device: each job is kept as it comes.
fn keep(
    inbox: &Receiver<Order>,
    waiting: &AtomicUsize,
    mut tell: impl FnMut(PrinterEvent),
    mut keep: impl FnMut(&Job) -> Result<Option<PrinterEvent>, Trouble>,
) {
    for order in inbox {
        let order = match order {
            Order::Draw(drawing) => Order::Print(drawing.drawn()),
            order => order,
        };
        match order {
            Order::Print(job) => {
                tell(PrinterEvent::FirstByte { job: job.id });
                match keep(&job) {
                    Ok(saved) => {
                        saved.into_iter().for_each(&mut tell);
                        tell(PrinterEvent::Done { job: job.id, proof: Proof::Kept });
                    }
                    Err(trouble) => {
                        tell(PrinterEvent::Trouble(trouble));
                        tell(PrinterEvent::NotSent { job: job.id, trouble });
                    }
                }
                waiting.fetch_sub(1, Ordering::Relaxed);
            }
            Order::Look => tell(PrinterEvent::Ready),
            // Nothing ever waits here.
            Order::Watch(_) | Order::Withdraw(_) | Order::BegunBefore(_) | Order::Draw(_) => {}
            Order::Stop => return,
        }
    }
}

fn save(folder: &Path, job: &Job) -> Result<Option<PrinterEvent>, Trouble> {
    if matches!(job.kind, JobKind::Drawer { .. }) {
        return Ok(None); // A folder has no drawer.
    }
    let path = folder::write_job(folder, &job.name, &job.bytes).map_err(|_| Trouble::Folder)?;
    Ok(Some(PrinterEvent::Saved { job: job.id, path }))
}

/// Carries bytes for one device.
struct Carrier<Tell> {
    address: Address,
    inbox: Receiver<Order>,
    wake: Arc<OwnedFd>,
    /// Jobs handed over and not ended, and how many of them were taken here.
    waiting: Arc<AtomicUsize>,
    taken: usize,
    tell: Tell,
    dialogue: Dialogue,
    /// Milliseconds between two attempts to open the link.
    retry: u64,
    started: Instant,
    link: Option<Link>,
    /// The device never has anything to read: watching for it would spin.
    mute: bool,
    open_at: u64,
    opened_at: u64,
}

impl<Tell: FnMut(PrinterEvent)> Carrier<Tell> {
    fn new(
        address: Address,
        inbox: Receiver<Order>,
        wake: Arc<OwnedFd>,
        waiting: Arc<AtomicUsize>,
        tell: Tell,
        dialogue: Dialogue,
        retry: u64,
    ) -> Self {
        let started = Instant::now();
        Self {
            address,
            inbox,
            wake,
            waiting,
            taken: 0,
            tell,
            dialogue,
            retry,
            started,
            link: None,
            mute: false,
            open_at: 0,
            opened_at: 0,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn run(mut self) {
        while self.take_orders() {
            self.open_if_wanted();
            self.tell_events();
            self.write();
            self.tell_events();
            self.wait_and_read();
            self.dialogue.tick(self.now());
            self.count_off();
        }
    }

    /// Makes room in the queue for jobs that have ended.
    fn count_off(&mut self) {
        let waiting = self.dialogue.waiting();
        self.waiting.fetch_sub(self.taken - waiting, Ordering::Relaxed);
        self.taken = waiting;
    }

    /// Returns false when the thread is to end.
    fn take_orders(&mut self) -> bool {
        loop {
            let now = self.now();
            match self.inbox.try_recv() {
                Ok(Order::Print(job)) => self.take(job),
                Ok(Order::Draw(drawing)) => self.take(drawing.drawn()),
                Ok(Order::Withdraw(job)) => self.dialogue.withdraw(job, now),
                Ok(Order::BegunBefore(bytes)) => self.dialogue.begun_before(bytes),
                Ok(Order::Watch(every)) => self.dialogue.watch(every, now),
                Ok(Order::Look) => {
                    self.open_at = now;
                    self.dialogue.look(now);
                }
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => {
                    self.count_off();
                    return true;
                }
            }
        }
    }

    fn take(&mut self, job: Job) {
        self.taken += 1;
        self.dialogue.submit(job, self.now());
    }

    fn open_if_wanted(&mut self) {
        let now = self.now();
        if self.link.is_some() || !self.dialogue.wants_link() || now < self.open_at {
            return;
        }
        match Link::open(&self.address) {
            Ok(link) => {
                self.link = Some(link);
                self.mute = false;
                self.opened_at = self.now();
                self.dialogue.opened(self.now());
            }
            Err(why) => self.lose(why),
        }
    }

    fn lose(&mut self, why: Trouble) {
        let now = self.now();
        self.link = None;
        self.open_at = now + self.retry;
        self.dialogue.lost(why, now);
    }

    fn tell_events(&mut self) {
        while let Some(event) = self.dialogue.next_event() {
            (self.tell)(event);
        }
    }

    /// Writes one piece: events that follow from it are told before the next.
    fn write(&mut self) {
        let Some(link) = &self.link else { return };
        if self.dialogue.to_write().is_empty() {
            return;
        }
        match link.write(self.dialogue.to_write()) {
            Ok(0) => {}
            Ok(count) => self.dialogue.wrote(count, self.now()),
            Err(why) => self.lose(why),
        }
    }

    fn wait_and_read(&mut self) {
        let timeout = self.time_to_wake();
        let mut bell = PollFlags::empty();
        let mut device = PollFlags::empty();
        {
            let mut watched = vec![PollFd::new(&*self.wake, PollFlags::IN)];
            if let Some(link) = &self.link {
                watched.push(PollFd::new(link, self.interest()));
            }
            if poll(&mut watched, timeout.as_ref()).is_ok() {
                bell = watched[0].revents();
                device = watched.get(1).map_or(device, PollFd::revents);
            }
        }
        if bell.contains(PollFlags::IN) {
            let _ = rustix::io::read(&*self.wake, &mut [0; 8]); // Rings are not counted.
        }
        if device.contains(PollFlags::IN) {
            self.read();
        } else if device.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) {
            self.end();
        }
    }

    fn interest(&self) -> PollFlags {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, !self.mute);
        interest.set(PollFlags::OUT, !self.dialogue.to_write().is_empty());
        interest
    }

    /// Returns how long `poll` may sleep; `None`: until something happens.
    fn time_to_wake(&self) -> Option<Timespec> {
        let open = self.dialogue.wants_link() && self.link.is_none();
        let due =
            [self.dialogue.deadline(), open.then_some(self.open_at)].into_iter().flatten().min()?;
        let wait = Duration::from_millis(due.saturating_sub(self.now()).max(1));
        Timespec::try_from(wait).ok()
    }

    fn read(&mut self) {
        let Some(link) = &self.link else { return };
        let mut buffer = [0; 512];
        match link.read(&mut buffer) {
            Ok(Read::Bytes(count)) => self.dialogue.heard(&buffer[..count], self.now()),
            Ok(Read::Nothing) => {}
            Ok(Read::Mute) => self.mute = true,
            Ok(Read::End) => self.end(),
            Err(why) => self.lose(why),
        }
    }

    /// The other end is gone; a network printer may hang up on an idle caller, and is called again at
    /// once: one that is gone is told then.
    fn end(&mut self) {
        if matches!(self.address, Address::Tcp { .. }) {
            let now = self.now();
            self.link = None;
            self.open_at = self.opened_at + self.retry;
            self.dialogue.hung_up(now);
        } else {
            self.lose(Trouble::Absent);
        }
    }
}
