//! The printer thread against printers that keep their maker's own status, over loopback.
//!
//! Room: devices, tests. May touch: loopback.
//! Written from the makers' tables of commands and status; it shares no line with what is tested.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use super::dialogue::Manner;
use super::peers::{Rig, paper};
use super::{Job, JobKind, PrinterEvent, Proof, Trouble};
use crate::devices::profile::{Language, Level, Status};

/// What ails a printer, and what came out of it.
#[derive(Default)]
struct Body {
    cover_open: AtomicBool,
    paper_out: AtomicBool,
    cutter_jams: AtomicBool,
    silent: AtomicBool,
    /// Which of these begins after how many signs of a paper; 0: none.
    strikes_after: AtomicUsize,
    strikes: AtomicUsize,
    /// Star's count of ends.
    count: AtomicU8,
    printed: AtomicUsize,
    pulses: AtomicUsize,
}

type Ailment = fn(&Body) -> &AtomicBool;

const AILMENTS: [(Ailment, Trouble); 4] = [
    (|body| &body.cover_open, Trouble::CoverOpen),
    (|body| &body.paper_out, Trouble::PaperOut),
    (|body| &body.cutter_jams, Trouble::Fault),
    (|body| &body.silent, Trouble::NoAnswer),
];

impl Body {
    /// Prints one sign of a paper that has so many by now.
    fn sign(&self, of_paper: usize) {
        if of_paper == self.strikes_after.load(SeqCst) {
            self.strikes_after.store(0, SeqCst);
            AILMENTS[self.strikes.load(SeqCst)].0(self).store(true, SeqCst);
        }
    }

    /// Lets an ailment strike inside the next paper.
    fn will_suffer(&self, ailment: usize, after: usize) {
        self.strikes.store(ailment, SeqCst);
        self.strikes_after.store(after, SeqCst);
    }

    fn is_stopped(&self) -> bool {
        [&self.cover_open, &self.paper_out, &self.cutter_jams].iter().any(|is| is.load(SeqCst))
    }

    fn bit(is: &AtomicBool, at: u8) -> u8 {
        u8::from(is.load(SeqCst)) << at
    }
}

/// One way to obey and to answer.
trait Speech: Send + 'static {
    /// Returns what is told though nobody asks.
    fn by_itself(&mut self, _: &Body) -> Vec<u8> {
        Vec::new()
    }

    /// Whether the first command needs no paper and is obeyed in trouble, too, when its turn comes.
    fn obeys_in_trouble(&self, _: &[u8]) -> bool {
        false
    }

    /// Takes out of `held` what is obeyed at once, also in trouble; returns what is answered.
    fn at_once(&mut self, body: &Body, held: &mut Vec<u8>) -> Vec<u8>;
    /// Obeys the first command of `held`; returns its length and the answer. `None`: it is not whole yet.
    fn first(&mut self, body: &Body, held: &[u8]) -> Option<(usize, Vec<u8>)>;
}

/// A printer of Star's: text of papers is `x`.
#[derive(Default)]
struct Star {
    text: usize,
}

impl Speech for Star {
    fn at_once(&mut self, body: &Body, held: &mut Vec<u8>) -> Vec<u8> {
        let mut said = Vec::new();
        while let Some(at) = held.windows(3).position(|bytes| bytes == [0x1b, 6, 1]) {
            held.drain(at..at + 3);
            let offline = u8::from(body.is_stopped()) << 3;
            let first = offline | Body::bit(&body.cover_open, 5);
            let count = body.count.load(SeqCst);
            said.extend([0x23, 0x06, first, Body::bit(&body.cutter_jams, 3), 0]);
            said.extend([
                Body::bit(&body.paper_out, 3),
                0,
                (count & 7) << 1 | (count >> 3) << 5,
                0,
            ]);
        }
        said
    }

    fn first(&mut self, body: &Body, held: &[u8]) -> Option<(usize, Vec<u8>)> {
        let mut end = |counts: bool| {
            body.printed.fetch_add(std::mem::take(&mut self.text), SeqCst);
            if counts {
                body.count.store((body.count.load(SeqCst) + 1) % 32, SeqCst);
            }
        };
        match *held {
            [b'x', ..] => {
                self.text += 1;
                body.sign(self.text);
                Some((1, Vec::new()))
            }
            [0x1b, 0x1d, 3, 1, high, low, ..] => {
                end(false);
                Some((6, vec![0x1b, 0x1d, 3, 1, high, low, 9, 0]))
            }
            [0x17, ..] => {
                end(true);
                Some((1, Vec::new()))
            }
            [0x1b, 0x1e, b'E', 0, ..] => {
                body.count.store(0, SeqCst);
                Some((4, Vec::new()))
            }
            [0x1b, 7, _, _, ..] => Some((4, Vec::new())),
            [7, ..] => {
                body.pulses.fetch_add(1, SeqCst);
                Some((1, Vec::new()))
            }
            [0x18 | 0, ..] => Some((1, Vec::new())),
            [0x1b, b'@', ..] => Some((2, Vec::new())),
            [] | [0x1b, ..] => None,
            ref other => panic!("no command: {other:02x?}"),
        }
    }
}

/// A printer of SII's: nothing is obeyed at once, and the state is told when it changes.
#[derive(Default)]
struct Sii {
    text: usize,
    told: Option<[u8; 8]>,
}

impl Sii {
    fn state(body: &Body) -> [u8; 8] {
        let sensors = 0xd0 | Body::bit(&body.cover_open, 3) | Body::bit(&body.paper_out, 0);
        let first = 0xc0 | Body::bit(&body.cutter_jams, 1);
        [first, sensors, 0xd0, 0xd0, 0xd0, 0xd0, 0xd0, 0xd0]
    }
}

impl Speech for Sii {
    fn by_itself(&mut self, body: &Body) -> Vec<u8> {
        let state = Self::state(body);
        match self.told {
            Some(told) if told != state => {
                self.told = Some(state);
                state.to_vec()
            }
            _ => Vec::new(),
        }
    }

    fn obeys_in_trouble(&self, held: &[u8]) -> bool {
        matches!(*held, [0, ..] | [0x10, 5, 2, ..] | [0x1b, b'@', ..] | [0x1d, b'a', ..])
    }

    fn at_once(&mut self, _: &Body, _: &mut Vec<u8>) -> Vec<u8> {
        Vec::new()
    }

    fn first(&mut self, body: &Body, held: &[u8]) -> Option<(usize, Vec<u8>)> {
        match *held {
            [b'x', ..] => {
                self.text += 1;
                body.sign(self.text);
                Some((1, Vec::new()))
            }
            [0x12, b'q', mark, ..] => {
                body.printed.fetch_add(std::mem::take(&mut self.text), SeqCst);
                Some((3, vec![0x80 | mark]))
            }
            [0x1b, b'@', ..] => Some((2, vec![0xb0])),
            [0x1d, b'a', 0xff, ..] => {
                self.told = Some(Self::state(body));
                Some((3, Self::state(body).to_vec()))
            }
            [0x1b, b'p', _, _, _, ..] => {
                body.pulses.fetch_add(1, SeqCst);
                Some((5, Vec::new()))
            }
            [0x10, 5, 2, ..] => Some((3, Vec::new())),
            [0, ..] => Some((1, Vec::new())),
            [] | [0x1b | 0x1d | 0x12 | 0x10, ..] => None,
            ref other => panic!("no command: {other:02x?}"),
        }
    }
}

/// A printer on a free port of loopback.
fn network_printer<S: Speech + Default>() -> (Arc<Body>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("tcp:{}", listener.local_addr().expect("it is bound"));
    let body = Arc::new(Body::default());
    let serving = Arc::clone(&body);
    thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            serve(&serving, S::default(), caller);
        }
    });
    (body, address)
}

fn serve(body: &Body, mut speech: impl Speech, mut line: TcpStream) {
    line.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out");
    let mut held = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        match line.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => held.extend(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        let mut said = speech.at_once(body, &mut held);
        while (!body.is_stopped() || speech.obeys_in_trouble(&held))
            && let Some((length, answer)) = speech.first(body, &held)
        {
            held.drain(..length);
            said.extend(answer);
        }
        said.extend(speech.by_itself(body));
        if !body.silent.load(SeqCst) && line.write_all(&said).is_err() {
            return;
        }
    }
}

fn star(process_id: bool) -> Manner {
    let (language, status) = (Language::Star, Status::Star);
    Manner { language, status, process_id, drawer_open: Level::High }
}

/// A pulse that is obeyed in its turn only.
fn drawer(id: u64, bytes: &[u8]) -> Job {
    let kind = JobKind::Drawer { real_time: None };
    Job { id, name: "drawer".into(), bytes: bytes.to_vec(), kind }
}

const STAR_PULSE: [u8; 5] = [0x1b, 7, 20, 20, 7];
const SII_PULSE: [u8; 5] = [0x1b, b'p', 0, 25, 250];

#[test]
fn a_star_proves_each_receipt_by_its_name_or_by_its_count() {
    for (names, want) in [(true, Proof::ProcessId), (false, Proof::Status)] {
        let (body, address) = network_printer::<Star>();
        let rig = Rig::new(&address, star(names));
        for id in 1..=12 {
            rig.submit(paper(id, 1_000));
            assert_eq!(rig.until_done(id), want);
            assert_eq!(body.printed.load(SeqCst), 1_000 * id as usize);
        }
        rig.submit(drawer(13, &STAR_PULSE));
        assert_eq!(rig.until_done(13), Proof::Probably);
        rig.submit(paper(14, 10));
        rig.until_done(14);
        assert_eq!(body.pulses.load(SeqCst), 1);
        rig.handle.stop();
    }
}

/// Tells what ails it before a paper and inside of one; the paper prints once, when it is over.
fn waits_out_each_trouble<S: Speech + Default>(manner: Manner) {
    for (which, (ailment, trouble)) in AILMENTS.into_iter().take(3).enumerate() {
        let (body, address) = network_printer::<S>();
        let rig = Rig::new(&address, manner);
        ailment(&body).store(true, SeqCst);
        rig.submit(paper(1, 100));
        rig.until_trouble(trouble);
        assert_eq!(body.printed.load(SeqCst), 0);
        ailment(&body).store(false, SeqCst);
        rig.until_done(1);
        body.will_suffer(which, 150);
        rig.submit(paper(2, 300));
        rig.until(|event| *event == PrinterEvent::FirstByte { job: 2 });
        rig.until_trouble(trouble);
        assert_eq!(body.printed.load(SeqCst), 100, "the rest waits");
        ailment(&body).store(false, SeqCst);
        rig.until_done(2);
        assert_eq!(body.printed.load(SeqCst), 400, "{trouble:?}");
    }
}

#[test]
fn a_star_in_trouble_is_told_and_prints_when_it_is_over() {
    waits_out_each_trouble::<Star>(star(true));
    waits_out_each_trouble::<Star>(star(false));
}

/// A receipt that was sent and is never confirmed leaves a question; one not begun can be taken back.
fn silence_proves_nothing<S: Speech + Default>(manner: Manner) {
    let (body, address) = network_printer::<S>();
    let rig = Rig::new(&address, manner);
    rig.submit(paper(1, 10));
    rig.until_done(1);
    body.will_suffer(3, 100);
    rig.submit(paper(2, 500));
    rig.until(|event| matches!(event, PrinterEvent::Uncertain { job: 2, .. }));
    rig.submit(paper(3, 10));
    thread::sleep(Duration::from_millis(1_000)); // It is asked several times.
    rig.handle.withdraw(3);
    let waited = PrinterEvent::NotSent { job: 3, trouble: Trouble::NoAnswer };
    rig.until(|event| *event == waited);
}

#[test]
fn a_silent_star_proves_nothing() {
    silence_proves_nothing::<Star>(star(true));
    silence_proves_nothing::<Star>(star(false));
}

const SII: Manner = Manner {
    language: Language::Escpos,
    status: Status::Sii,
    process_id: false,
    drawer_open: Level::High,
};

#[test]
fn an_sii_printer_proves_each_receipt_by_its_mark() {
    let (body, address) = network_printer::<Sii>();
    let rig = Rig::new(&address, SII);
    for id in 1..=17 {
        rig.submit(paper(id, 1_000));
        assert_eq!(rig.until_done(id), Proof::Status);
        assert_eq!(body.printed.load(SeqCst), 1_000 * id as usize);
    }
    rig.handle.look();
    rig.until(|event| *event == PrinterEvent::Ready);
}

#[test]
fn an_sii_printer_in_trouble_is_told_and_prints_when_it_is_over() {
    waits_out_each_trouble::<Sii>(SII);
}

#[test]
fn a_silent_sii_printer_proves_nothing() {
    silence_proves_nothing::<Sii>(SII);
}

/// Nobody asks in trouble: it would pile up before the printer.
#[test]
fn an_sii_printer_without_paper_is_not_asked_again() {
    let (body, address) = network_printer::<Sii>();
    let rig = Rig::new(&address, SII);
    rig.submit(paper(1, 10));
    rig.until_done(1);
    body.will_suffer(1, 100);
    rig.submit(paper(2, 300));
    rig.until_trouble(Trouble::PaperOut);
    rig.submit(drawer(3, &SII_PULSE));
    let given_up = PrinterEvent::NotSent { job: 3, trouble: Trouble::PaperOut };
    rig.until(|event| *event == given_up);
    body.paper_out.store(false, SeqCst);
    rig.until_done(2);
    assert_eq!(body.pulses.load(SeqCst), 0);
}

#[test]
fn a_stars_drawer_is_given_up_while_the_paper_is_out() {
    let (body, address) = network_printer::<Star>();
    body.paper_out.store(true, SeqCst);
    let rig = Rig::new(&address, star(true));
    rig.submit(drawer(1, &STAR_PULSE));
    let given_up = PrinterEvent::NotSent { job: 1, trouble: Trouble::PaperOut };
    rig.until(|event| *event == given_up);
    body.paper_out.store(false, SeqCst);
    rig.submit(paper(2, 10));
    rig.until_done(2);
    assert_eq!(body.pulses.load(SeqCst), 0, "it would have opened late");
}
