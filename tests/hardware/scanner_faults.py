"""What scanners do on a bad day: cut off, flooded, stuck, and two at once.

Room: tests. May touch: the counter's guest.
"""
import struct

import shop as the_shop
from checks import same
from guest import ALT, CTRL, FUNCTION, LETTER, SYSRQ, until
from shop import CODES

EV_SND, SND_TONE = 0x12, 2

# How often the guest looks whether something is there again, and how long it may take, in its own time.
USABLE = '''begun=$(cut -d' ' -f1 /proc/uptime)
gadget plug scan1
until far_side screen /dev/vcsu2 80 | grep -q Scanner:ready && far_side part /dev/hidg1 '' 2>/dev/null; do sleep 0.05; done
ended=$(cut -d' ' -f1 /proc/uptime)
awk "BEGIN { print $ended - $begun }"'''


def lines(counter):
    """Returns the codes of the open sale, by closing it."""
    counter.pays()
    taken = counter.take_out()
    return [line['code'] for line in the_shop.export(taken, 'lines') if line['receipt'] == counter.last_receipt()]


def out_in_mid_code(counter):
    counter.guest.sh(f'far_side part /dev/hidg1 {CODES[0][:6]}; gadget unplug scan1')
    counter.shows('Scanner:lost', 'The scanner is gone')
    took = float(counter.guest.sh(USABLE))
    counter.scans(CODES[1])
    counter.shows('1 pcs')
    same(lines(counter), [CODES[1]], 'rung up')
    assert took <= 3, f'usable {took:.2f} s after it was plugged in'
    return f'usable {took:.2f} s after it was plugged in'


def flooded(counter):
    """The register stands still for longer than the kernel's 64 events last: SYN_DROPPED."""
    before = beeps(counter)
    counter.guest.sh('kill -STOP $(pidof regi)')
    counter.scans(CODES[2], CODES[3], CODES[4])
    counter.guest.sh('kill -CONT $(pidof regi)')
    counter.shows(' !! Part of the code was lost')
    heard_since(counter, before)
    counter.scans(CODES[5])
    counter.shows(' pcs')
    rung = lines(counter)
    same(rung[-1], CODES[5], 'the code after the flood')
    assert len(rung) < 4 and all(code in CODES[2:6] for code in rung), f'rung up: {rung}'
    return f'{4 - len(rung)} of 3 codes dropped, told and heard, 0 wrong'


def beeps(counter):
    """Returns how often the console's bell has sounded: the PC speaker tells each of its tones as an event."""
    if 'beeps' not in counter.kept:
        node = counter.guest.sh('grep -l "PC Speaker" /sys/class/input/event*/device/name').split('/')[4]
        counter.guest.sh(f'cat /dev/input/{node} >/host/beeps &')
        counter.guest.until_sh('[ -e /host/beeps ]')
        counter.kept['beeps'] = f'{counter.guest.shared}/beeps'
    with open(counter.kept['beeps'], 'rb') as heard:
        events = list(struct.iter_unpack('<qqHHi', heard.read()))
    return sum((kind, code) == (EV_SND, SND_TONE) and pitch > 0 for _, _, kind, code, pitch in events)


def heard_since(counter, before):
    """Waits for the bell, and until it is silent again. Of its three rings two may run together on so slow a processor."""
    until('the bell', lambda: beeps(counter) - before >= 2)
    counter.guest.sh('sleep 0.6')


def hostile(counter):
    """A code may hold any key. What leads from a free keyboard to another console leads nowhere from a scanner that is held."""
    guest = counter.guest
    guest.sh('echo 1 >/proc/sys/kernel/sysrq')  # All that it can do.
    shown = lambda: guest.sh('cat /sys/class/tty/tty0/active').strip()
    guest.sh('for console in 1 3 4 2; do chvt $console; done')  # Only one that is made can be changed to.
    until('the register in front', lambda: shown() == 'tty2')
    counter.chord(f'{CTRL}+{ALT}+{FUNCTION[4]}')
    until('another console, by the keyboard', lambda: shown() == 'tty4')
    guest.sh('chvt 2')
    until('the register again', lambda: shown() == 'tty2')
    booted = guest.sh('cat /proc/sys/kernel/random/boot_id')
    before = beeps(counter)
    chords = [f'{CTRL}+{LETTER["c"]}', *(f'{CTRL}+{ALT}+{FUNCTION[number]}' for number in (1, 2, 3, 4)), f'{ALT}+{SYSRQ}+{LETTER["b"]}']
    for chord in chords:
        heard = beeps(counter)
        guest.sh(f'far_side chord /dev/hidg1 {chord}')
        heard_since(counter, heard)
        counter.shows('The code came without its end')
        same(shown(), 'tty2', f'the console after {chord}')
    guest.sh("far_side type /dev/hidg1 $(printf '9%.0s' $(seq 4096))")
    shown_then = counter.shows('The code is too long')
    assert ' pcs' not in shown_then and '99999' not in shown_then, shown_then
    counter.scans(CODES[7])
    counter.shows('1 pcs')
    same(lines(counter), [CODES[7]], 'rung up')
    same(guest.sh('cat /proc/sys/kernel/random/boot_id'), booted, 'the boot')
    return f'{len(chords)} chords and 4,096 digits: 0 lines, told and heard ({beeps(counter) - before} beeps)'


def stuck_key(counter):
    counter.guest.sh('far_side hold /dev/hidg1 4 1200')
    counter.scans(CODES[6])
    counter.shows('1 pcs')
    same(lines(counter), [CODES[6]], 'rung up')


def two_at_once(counter):
    counter.guest.sh(f"far_side type /dev/hidg2 {' '.join(CODES[40:70])} >/tmp/second &")
    counter.scans(*CODES[10:40])
    counter.guest.until_sh('grep -q until /tmp/second')
    counter.shows('60 pcs')
    rung = lines(counter)
    same([code for code in rung if code in CODES[10:40]], CODES[10:40], 'the first')
    same([code for code in rung if code in CODES[40:70]], CODES[40:70], 'the second')
    return '60 of 60'


def among_others(counter):
    """A keyboard goes and comes while codes come: looking at it takes the kernel longer than a scanner's queue lasts."""
    counter.guest.sh(f"far_side type /dev/hidg1 {' '.join(CODES[70:130])} >/tmp/scanned &\ngadget unplug hand; gadget plug hand")
    counter.guest.until_sh('grep -q until /tmp/scanned && grep -q Holtek /proc/bus/input/devices')
    counter.shows('60 pcs')
    same(lines(counter), CODES[70:130], 'rung up')
    return '60 of 60'


def suffer(checks, counter):
    checks.claim('scanner out in mid-code and back: half a code is none', out_in_mid_code, counter)
    checks.claim('scanner flooded (SYN_DROPPED): dropped in words, never wrong', flooded, counter)
    checks.claim('codes that press keys, and one without bounds: dropped in words, nothing else', hostile, counter)
    checks.claim('scanner with a stuck key: repeats are no digits', stuck_key, counter)
    checks.claim('two scanners at once', two_at_once, counter)
    checks.claim('codes while a keyboard is plugged in', among_others, counter)
