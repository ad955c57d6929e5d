"""What scanners do on a bad day: cut off, flooded, stuck, and two at once.

Room: tests. May touch: the counter's guest.
"""
import shop as the_shop
from checks import same
from shop import CODES

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
    counter.guest.sh('kill -STOP $(pidof regi)')
    counter.scans(CODES[2], CODES[3], CODES[4])
    counter.guest.sh('kill -CONT $(pidof regi)')
    counter.shows(' !! ')
    counter.scans(CODES[5])
    counter.shows(' pcs')
    rung = lines(counter)
    same(rung[-1], CODES[5], 'the code after the flood')
    assert len(rung) < 4 and all(code in CODES[2:6] for code in rung), f'rung up: {rung}'
    return f'{4 - len(rung)} of 3 codes dropped and told, 0 wrong'


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
    checks.claim('scanner with a stuck key: repeats are no digits', stuck_key, counter)
    checks.claim('two scanners at once', two_at_once, counter)
    checks.claim('codes while a keyboard is plugged in', among_others, counter)
