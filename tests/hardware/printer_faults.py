"""What printers do on a bad day: no paper, an open cover, a stall, a crawl, a cable that goes, places changed.

Room: tests. May touch: the counter's guest.
Invariant: whatever breaks, the sale is made and its paper comes at most once without a mark.
"""
import shop as the_shop
from checks import same
from guest import until
from shop import CODES

NAME, MODEL = 'p1', 'epson-tm-t20'
GOODS = CODES[:3]


def papers(counter, number):
    """Returns how often a receipt stands whole and unmarked on the paper."""
    wanted = the_shop.receipt_bytes(counter.take_out(), number, MODEL)
    return the_shop.papers_of(counter.paper(NAME)).count(wanted)


def told_in_time(counter, order, word):
    """Gives the printer an order and returns the seconds until the screen says so; at most 0.5 are promised."""
    took = float(counter.guest.sh(f'''begun=$(cut -d' ' -f1 /proc/uptime)
echo "{order}" >/tmp/{NAME}.control
until far_side screen /dev/vcsu2 80 | grep -q "{word}"; do :; done
ended=$(cut -d' ' -f1 /proc/uptime)
awk "BEGIN {{ print $ended - $begun }}"'''))
    assert took <= 0.5, f'on the screen after {took:.2f} s'
    return took


def before_the_sale(counter, fault, remedy, word):
    took = told_in_time(counter, fault, word)
    counter.sells(*GOODS)
    same(papers(counter, counter.last_receipt()), 0, 'papers without paper')
    counter.tell_printer(NAME, remedy)
    counter.shows('Printer:ready')
    counter.printed_once(NAME, MODEL, counter.last_receipt())
    return f'on the screen after {took:.2f} s, printed once after the remedy'


def paper_out_in_mid_receipt(counter):
    counter.tell_printer(NAME, f'paper_out_at {len(counter.paper(NAME)) + 700}')
    counter.sells(*GOODS)
    counter.shows('Printer:no paper')
    counter.tell_printer(NAME, 'paper in')
    counter.shows('Printer:ready')
    counter.printed_once(NAME, MODEL, counter.last_receipt())


def stall(counter):
    counter.tell_printer(NAME, 'stop')
    counter.sells(*CODES[:100])
    counter.shows('Printer:stalled')
    counter.tell_printer(NAME, 'go')
    counter.shows('Printer:ready')
    counter.printed_once(NAME, MODEL, counter.last_receipt())


def crawl(counter):
    counter.tell_printer(NAME, 'rate 1200')
    counter.sells(*GOODS)
    counter.printed_once(NAME, MODEL, counter.last_receipt())
    counter.tell_printer(NAME, 'rate 0')


def plug_in_again(counter, how=f'gadget plug {NAME}'):
    """Plugs the printer in; returns the seconds until it answers, in the guest's time."""
    return float(counter.guest.sh(f'''begun=$(cut -d' ' -f1 /proc/uptime)
{how}
until far_side screen /dev/vcsu2 80 | grep -q Printer:ready; do :; done
ended=$(cut -d' ' -f1 /proc/uptime)
awk "BEGIN {{ print $ended - $begun }}"'''))


def cable_out_at(counter, offsets):
    """The cable goes after so many bytes of a receipt: one question, never a second unmarked paper."""
    # The host lets the printer go: the gadget's own end would break the guest's kernel with bytes on their way.
    cable = counter.guest.sh('dirname $(grep -l J0001 /sys/bus/usb/devices/*/serial)').strip() + '/authorized'
    slowest = 0
    for offset in offsets:
        counter.tell_printer(NAME, f'cable_out_at {len(counter.paper(NAME)) + offset} {cable}')
        counter.sells(*GOODS)
        number = counter.last_receipt()
        counter.shows('Printer:lost', f'receipt-{number}')
        slowest = max(slowest, plug_in_again(counter, f'echo 1 >{cable}'))
        counter.command(f'print_outcome receipt-{number} lost')
        assert papers(counter, number) <= 1, f'{number} twice after {offset} bytes'
    assert slowest <= 3, f'usable {slowest:.2f} s after it was plugged in'
    counter.command(f'reprint {number}')
    until('a marked copy', lambda: b'Copy 1' in counter.paper(NAME)[-6000:])
    return f'{len(offsets)} cuts; usable at most {slowest:.2f} s after the cable is in'


def away_during_the_sale(counter):
    counter.guest.sh(f'gadget unplug {NAME}')
    counter.sells(*GOODS)
    counter.shows('Printer:lost')
    took = plug_in_again(counter)
    counter.printed_once(NAME, MODEL, counter.last_receipt())
    assert took <= 3, f'usable {took:.2f} s after it was plugged in'
    return f'printed by itself, usable after {took:.2f} s'


def change_places(counter):
    """Both printers out, and in again in the other order: their device names change hands."""
    serial_of = lambda: counter.guest.sh('for lp in /sys/class/usbmisc/lp*; do echo $(basename $lp) $(cat $lp/device/../serial); done')
    before = serial_of()
    counter.guest.sh('gadget unplug p1; gadget unplug p2')
    counter.guest.until_sh('[ ! -e /dev/usb/lp0 ] && [ ! -e /dev/usb/lp1 ]')
    counter.guest.sh('gadget plug p2')
    counter.guest.until_sh('[ -e /dev/usb/lp0 ]')
    counter.guest.sh('gadget plug p1')
    counter.guest.until_sh('[ -e /dev/usb/lp1 ]')
    assert serial_of() != before, f'the names did not change: {before}'
    others = len(counter.paper('p2'))
    counter.sells(*GOODS)
    counter.printed_once(NAME, MODEL, counter.last_receipt())
    same(len(counter.paper('p2')), others, 'bytes on the other printer')
    return serial_of().replace('\n', ' ')


def suffer(checks, counter):
    checks.claim('printer without paper', before_the_sale, counter, 'paper out', 'paper in', 'Printer:no paper')
    checks.claim('printer with its cover open', before_the_sale, counter, 'cover open', 'cover shut', 'Printer:cover open')
    checks.claim('paper out in mid-receipt: printed once', paper_out_in_mid_receipt, counter)
    checks.claim('printer that stands still: printed once', stall, counter)
    checks.claim('printer that crawls: printed once', crawl, counter)
    checks.claim('printer away while a sale is made: it prints when it is back', away_during_the_sale, counter)
    checks.claim('cable out in mid-receipt', cable_out_at, counter, (60, 400, 900))
    checks.claim('two printers change places', change_places, counter)
