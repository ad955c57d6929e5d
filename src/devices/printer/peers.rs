//! The printer thread against real sockets, a pseudo-terminal and device files.
//!
//! Room: devices, tests. May touch: loopback, a pty, temporary folders.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};

use super::dialogue::{Manner, Patience};
use super::{Address, Job, JobKind, PrinterEvent, PrinterHandle, Proof, Submitted, Trouble, start};
use crate::devices::profile::{Language, Level, Status};

const ANSWERS: Manner = Manner {
    language: Language::Escpos,
    status: Status::Dle,
    process_id: true,
    drawer_open: Level::High,
};
const MUTE: Manner = Manner { status: Status::None, process_id: false, ..ANSWERS };

fn quick() -> Patience {
    Patience {
        answer: 60,
        stall: 300,
        silence: 400,
        finish: 800,
        slowest: 1,
        retry: 50,
        drawer: 400,
        settle: 50,
    }
}

pub(super) fn paper(id: u64, length: usize) -> Job {
    Job { id, name: format!("receipt-{id}"), bytes: vec![b'x'; length], kind: JobKind::Paper }
}

fn drawer(id: u64) -> Job {
    let kind = JobKind::Drawer { real_time: Some(vec![0x10, 0x14, 1, 0, 1]) };
    Job { id, name: "drawer".into(), bytes: vec![0x1b, b'p', 0, 25, 250], kind }
}

/// A printer thread and what it tells.
pub(super) struct Rig {
    pub(super) handle: PrinterHandle,
    events: Receiver<PrinterEvent>,
}

impl Rig {
    pub(super) fn new(address: &str, manner: Manner) -> Self {
        let (tell, events) = unbounded();
        let address = address.parse().expect("the address is right");
        let handle = start(address, manner, quick(), move |event| drop(tell.send(event)))
            .expect("the thread starts");
        Self { handle, events }
    }

    pub(super) fn submit(&self, job: Job) {
        assert_eq!(self.handle.submit(job), Submitted::Taken);
    }

    /// Waits for an event, passing over others.
    pub(super) fn until(&self, wanted: impl Fn(&PrinterEvent) -> bool) -> PrinterEvent {
        let mut seen = Vec::new();
        loop {
            match self.events.recv_timeout(Duration::from_secs(20)) {
                Ok(event) if wanted(&event) => return event,
                Ok(event) => seen.push(event),
                Err(_) => panic!("it was never told; instead {seen:?}"),
            }
        }
    }

    pub(super) fn until_done(&self, id: u64) -> Proof {
        match self.until(|event| matches!(event, PrinterEvent::Done { job, .. } if *job == id)) {
            PrinterEvent::Done { proof, .. } => proof,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn until_trouble(&self, trouble: Trouble) {
        self.until(|event| *event == PrinterEvent::Trouble(trouble));
    }
}

/// Faults of a software printer, set from the test.
#[derive(Default)]
struct Body {
    paper_out: AtomicBool,
    reads_nothing: AtomicBool,
    /// Hangs up after this many bytes; 0: never.
    hangs_up_after: AtomicUsize,
    /// Papers are made of `x`: held until the id asks whether they are printed.
    held_text: AtomicUsize,
    printed: AtomicUsize,
    pulses: AtomicUsize,
}

impl Body {
    /// Serves one caller until it, or the printer, hangs up.
    fn serve(&self, mut line: impl Read + Write) {
        let mut held = Vec::new();
        let mut taken = 0;
        let mut buffer = [0; 4_096];
        loop {
            while self.reads_nothing.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            let Ok(count @ 1..) = line.read(&mut buffer) else { return };
            taken += count;
            let (text, commands): (Vec<u8>, Vec<u8>) =
                buffer[..count].iter().partition(|&&byte| byte == b'x');
            self.held_text.fetch_add(text.len(), Ordering::SeqCst);
            held.extend(commands);
            let limit = self.hangs_up_after.load(Ordering::SeqCst);
            if limit > 0 && taken > limit {
                self.hangs_up_after.store(0, Ordering::SeqCst);
                self.held_text.store(0, Ordering::SeqCst);
                return;
            }
            let reply = self.obey(&mut held);
            if line.write_all(&reply).is_err() {
                return;
            }
        }
    }

    fn obey(&self, held: &mut Vec<u8>) -> Vec<u8> {
        let out = self.paper_out.load(Ordering::SeqCst);
        let mut reply = Vec::new();
        while let Some(at) = find(held, &[0x10, 4]).filter(|at| held.len() > at + 2) {
            reply.push(match held[at + 2] {
                2 if out => 0x32,
                1 if out => 0x1a,
                _ => 0x12,
            });
            held.drain(at..at + 3);
        }
        while let Some(at) = find(held, &[0x10, 0x14, 1, 0, 1]) {
            held.drain(at..at + 5);
            self.pulses.fetch_add(1, Ordering::SeqCst);
        }
        if !out && let Some(at) = find(held, &[0x1d, b'(', b'H']).filter(|at| held.len() > at + 10)
        {
            reply.extend([0x37, 0x22]);
            reply.extend(&held[at + 7..at + 11]);
            reply.push(0);
            let text = self.held_text.swap(0, Ordering::SeqCst);
            self.printed.fetch_add(text, Ordering::SeqCst);
            held.drain(..at + 11);
        }
        reply
    }
}

fn find(stream: &[u8], part: &[u8]) -> Option<usize> {
    stream.windows(part.len()).position(|window| window == part)
}

/// A software printer on a free port of loopback.
fn network_printer() -> (Arc<Body>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("tcp:{}", listener.local_addr().expect("it is bound"));
    let body = Arc::new(Body::default());
    let serving = Arc::clone(&body);
    thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            serving.serve(caller);
        }
    });
    (body, address)
}

#[test]
fn a_network_printer_proves_each_receipt_by_its_id() {
    let (body, address) = network_printer();
    let rig = Rig::new(&address, ANSWERS);
    for id in 1..=3 {
        rig.submit(paper(id, 1_000));
        rig.until(|event| *event == PrinterEvent::FirstByte { job: id });
        assert_eq!(rig.until_done(id), Proof::ProcessId);
    }
    assert_eq!(body.printed.load(Ordering::SeqCst), 3_000);
    rig.handle.stop();
}

#[test]
fn a_printer_without_paper_is_told_opens_the_drawer_and_goes_on_when_it_has_some() {
    let (body, address) = network_printer();
    body.paper_out.store(true, Ordering::SeqCst);
    let rig = Rig::new(&address, ANSWERS);
    rig.submit(paper(1, 100));
    rig.until_trouble(Trouble::PaperOut);
    rig.submit(drawer(2));
    assert_eq!(rig.until_done(2), Proof::Probably);
    body.paper_out.store(false, Ordering::SeqCst);
    assert_eq!(rig.until_done(1), Proof::ProcessId);
    assert_eq!(body.pulses.load(Ordering::SeqCst), 1);
    assert_eq!(body.printed.load(Ordering::SeqCst), 100);
}

#[test]
fn a_dropped_connection_leaves_one_question_and_the_next_receipt_prints() {
    let (body, address) = network_printer();
    body.hangs_up_after.store(5_000, Ordering::SeqCst);
    let rig = Rig::new(&address, ANSWERS);
    rig.submit(paper(1, 8_000_000));
    rig.submit(paper(2, 100));
    rig.until(|event| matches!(event, PrinterEvent::Uncertain { job: 1, sent } if *sent > 0));
    assert_eq!(rig.until_done(2), Proof::ProcessId);
    assert_eq!(body.printed.load(Ordering::SeqCst), 100);
}

#[test]
fn a_printer_that_takes_nothing_is_stalled_until_it_takes_again() {
    let (body, address) = network_printer();
    let rig = Rig::new(&address, ANSWERS);
    rig.submit(paper(1, 10));
    assert_eq!(rig.until_done(1), Proof::ProcessId);
    rig.submit(paper(2, 30_000_000));
    // In mid-paper: before it, the question whether it can print would stay unanswered instead.
    rig.until(|event| matches!(event, PrinterEvent::FirstByte { job: 2 }));
    body.reads_nothing.store(true, Ordering::SeqCst);
    rig.until_trouble(Trouble::Stalled);
    body.reads_nothing.store(false, Ordering::SeqCst);
    assert_eq!(rig.until_done(2), Proof::ProcessId);
    assert_eq!(body.printed.load(Ordering::SeqCst), 30_000_010);
}

#[test]
fn a_printer_switched_on_later_gets_the_receipt_that_waited() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = listener.local_addr().expect("it is bound");
    drop(listener);
    let rig = Rig::new(&format!("tcp:{place}"), ANSWERS);
    rig.submit(paper(1, 100));
    rig.submit(drawer(2));
    rig.until_trouble(Trouble::Unreachable);
    rig.until(|event| matches!(event, PrinterEvent::NotSent { job: 2, .. }));
    let listener = TcpListener::bind(place).expect("the port is free again");
    let body = Arc::new(Body::default());
    let serving = Arc::clone(&body);
    thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            serving.serve(caller);
        }
    });
    assert_eq!(rig.until_done(1), Proof::ProcessId);
    assert_eq!(body.pulses.load(Ordering::SeqCst), 0);
}

#[test]
fn a_serial_printer_answers_over_its_line() {
    let pty = portable_pty::native_pty_system()
        .openpty(portable_pty::PtySize::default())
        .expect("a pseudo-terminal");
    let name = pty.master.tty_name().expect("it has a name");
    let line = Line {
        reader: pty.master.try_clone_reader().expect("its output"),
        writer: pty.master.take_writer().expect("its input"),
    };
    let body = Arc::new(Body::default());
    let serving = Arc::clone(&body);
    thread::spawn(move || serving.serve(line));
    let rig = Rig::new(&format!("serial:{}?baud=19200", name.display()), ANSWERS);
    rig.submit(paper(1, 3_000));
    assert_eq!(rig.until_done(1), Proof::ProcessId);
    assert_eq!(body.printed.load(Ordering::SeqCst), 3_000);
    rig.handle.look();
    rig.until(|event| *event == PrinterEvent::Ready);
}

struct Line {
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

#[test]
fn a_printer_that_never_answers_probably_printed() {
    let rig = Rig::new("dev:/dev/null", MUTE);
    rig.submit(paper(1, 100));
    assert_eq!(rig.until_done(1), Proof::Probably);
    rig.handle.look();
    rig.until(|event| *event == PrinterEvent::Ready);
}

#[test]
fn a_printer_that_should_answer_and_does_not_keeps_the_receipt_waiting() {
    let rig = Rig::new("dev:/dev/null", ANSWERS);
    rig.submit(paper(1, 100));
    rig.until_trouble(Trouble::NoAnswer);
    rig.handle.withdraw(1);
    rig.until(|event| matches!(event, PrinterEvent::NotSent { job: 1, .. }));
}

#[test]
fn an_absent_device_is_told_in_words() {
    let rig = Rig::new("dev:/dev/usb/nothing-here", ANSWERS);
    rig.handle.look();
    rig.until_trouble(Trouble::Absent);
}

#[test]
fn a_full_queue_gives_the_job_back_and_still_obeys() {
    let rig = Rig::new("dev:/dev/usb/nothing-here", ANSWERS);
    let taken = (1..=200).filter(|&id| rig.handle.submit(paper(id, 1)) == Submitted::Taken).count();
    assert_eq!(taken, 50, "however quick the thread is");
    rig.until_trouble(Trouble::Absent);
    rig.handle.withdraw(1);
    rig.until(|event| matches!(event, PrinterEvent::NotSent { job: 1, .. }));
    rig.handle.stop();
}

#[test]
fn a_folder_keeps_papers_and_has_no_drawer() {
    let shop = tempfile::tempdir().expect("a temporary folder");
    let address = Address::File("".into()).within(shop.path());
    let rig = Rig::new(&address.to_string(), MUTE);
    rig.submit(drawer(1));
    rig.submit(paper(2, 3));
    assert_eq!(rig.until_done(1), Proof::Kept);
    rig.until(|event| matches!(event, PrinterEvent::Saved { job: 2, .. }));
    assert_eq!(rig.until_done(2), Proof::Kept);
    let kept = std::fs::read(shop.path().join("print/receipt-2.bin")).expect("it is kept");
    assert_eq!(kept, b"xxx");
    let wrong = Rig::new("file:/dev/null/print", MUTE);
    wrong.submit(paper(3, 3));
    wrong.until(|event| *event == PrinterEvent::NotSent { job: 3, trouble: Trouble::Folder });
}
