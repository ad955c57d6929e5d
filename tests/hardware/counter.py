"""A shop is played in a guest: scanners, a keyboard, printers on four kinds of cable, and what breaks.

Room: tests. May touch: one guest.
"""
import subprocess

import printer_faults
import scanner_faults
import shop as the_shop
from checks import same
from guest import KEYBOARD, SCANNERS, Guest, until
from initramfs import DEVICES, build
from shop import CODES, HAND, PRICES, lane

HAND_GAP = '--gap-us 60000'  # Slower than any scanner.
F12, ENTER, ESC = '45', '28', '29'
USB = ('usb:J0001', 'epson-tm-t20')


class Counter:
    """The register on the console of a guest, and everything that hangs on it."""

    def __init__(self):
        self.base = the_shop.make('counter')
        (self.base / 'shop.toml').write_text(lane(*USB))
        archive = build('counter', DEVICES, [(self.base, 'shops/main')])
        self.guest = Guest(archive, memory=384, arguments=[
            # A cable between two serial ports, and a parallel printer that keeps what it gets.
            '-chardev', 'socket,id=near,path=@FOLDER@/cable,server=on,wait=off', '-device', 'isa-serial,chardev=near,index=1',
            '-chardev', 'socket,id=far,path=@FOLDER@/cable', '-device', 'isa-serial,chardev=far,index=2',
            '-chardev', 'file,id=lpt,path=@FOLDER@/shared/lpt', '-device', 'isa-parallel,chardev=lpt'])
        self.sold = 0
        self.kept = {}  # What a claim needs once more.

    # -- devices

    def plug_everything(self):
        self.guest.ready()
        self.guest.plug(
            KEYBOARD, *SCANNERS, 'printer p1 04b8 0e15 EPSON TM-T20II J0001',
            'printer p2 0519 0003 "Star Micronics" mC-Print3 K0002')
        self.guest.until_sh('[ -e /dev/usb/lp1 ] && [ -e /dev/input/event2 ]')
        self.start_printer('p1', '/dev/g_printer0')
        self.start_printer('p2', '/dev/g_printer1')
        self.start_printer('serial', '/dev/ttyS2')
        self.start_printer('tcp', 'tcp:9100')
        return f'{self.guest.boot_seconds:.1f} s to the shell'

    def start_printer(self, name, place):
        """Puts a printer at the far side; it ends when its cable goes."""
        self.guest.sh(f'far_side printer {place} /host/{name} /tmp/{name}.control >/tmp/{name}.said 2>&1 &')
        self.guest.until_sh(f'grep -q ready /tmp/{name}.said')

    def tell_printer(self, name, *orders):
        for order in orders:
            self.guest.sh(f'echo "{order}" >/tmp/{name}.control')

    def paper(self, name):
        with open(f'{self.guest.shared}/{name}', 'rb') as paper:
            return paper.read()

    def paper_times(self, name):
        """Returns (microseconds, bytes on paper by then)."""
        with open(f'{self.guest.shared}/{name}.log') as log:
            lines = [line.split() for line in log]
        return [(int(at), int(count)) for at, count in lines if count.isdigit()]

    # -- the register

    def start(self, printer, profile):
        self.guest.sh(f"cat >/shops/main/shop.toml <<'E'\n{lane(printer, profile)}E\nopenvt -c 2 -s -- regi --shop /shops/main --lang en")
        self.guest.until_held(2)
        self.shows('Printer')

    def stop(self):
        self.guest.sh('kill -TERM $(pidof regi)')
        self.guest.until_sh('! pidof regi')

    def screen(self):
        return self.guest.sh('far_side screen /dev/vcsu2 80')

    def shows(self, *words, patience=30):
        """Waits until the screen shows all of these; returns it."""
        shown = ''

        def there():
            nonlocal shown
            shown = self.screen()
            return all(word in shown for word in words)
        try:
            until(f'the screen shows {words}', there, patience)
        except TimeoutError as error:
            raise AssertionError(f'{error}\n{shown}') from None
        return shown

    def chord(self, *chords):
        self.guest.sh(f"far_side chord /dev/hidg0 {' '.join(chords)}")

    def types(self, *lines):
        """Types lines like a hand; returns when the first key went down, in the guest's microseconds."""
        words = ' '.join(f"'{line}'" for line in lines)
        said = self.guest.sh(f'far_side type /dev/hidg0 {HAND_GAP} {words}')
        return int(said.split()[1])

    def command(self, line):
        self.chord(F12)
        self.types(line)

    def scans(self, *codes, scanner=1, more=''):
        return self.guest.sh(f"far_side type /dev/hidg{scanner} {more} {' '.join(codes)}")

    def pays(self):
        """Pays the exact sum; returns when the tender key went down."""
        self.types('')
        at = self.types('')
        self.sold += 1
        self.shows('Change')
        return at

    def sells(self, *codes):
        """Sells codes that are scanned; returns when the tender key went down."""
        self.scans(*codes)
        self.shows(f'{len(codes)} pcs')
        return self.pays()

    def take_out(self):
        """Returns a copy of the shop, here: all but the room it keeps for a full disk, which holds nothing and takes seconds."""
        copy = self.base.parent / 'taken'
        subprocess.run(['rm', '-rf', copy], check=True)
        copy.mkdir()
        self.guest.sh('cd /shops/main && tar -cf /host/shop.tar $(find . -type f ! -path ./journal/reserve)')
        subprocess.run(['tar', '-C', copy, '-xf', f'{self.guest.shared}/shop.tar'], check=True)
        return copy

    def last_receipt(self):
        return f'01-{self.sold:06d}'

    # -- claims

    def opens_the_day(self):
        self.start(*USB)
        self.command('open_day 30000')
        return self.shows('Printer:ready', patience=20) and None

    def two_hundred_codes_beside_a_keyboard(self):
        hand = list(HAND)[:8]
        self.guest.sh(f"far_side type /dev/hidg1 {' '.join(CODES)} >/tmp/scanned &")
        self.types(*hand)
        self.guest.until_sh('grep -q until /tmp/scanned', patience=60)
        begun, ended, _ = (int(word) for word in self.guest.sh('cat /tmp/scanned').split()[1::2])
        self.shows(f'{len(CODES) + len(hand)} pcs')
        self.pays()
        taken = self.take_out()
        lines = [line for line in the_shop.export(taken, 'lines') if line['receipt'] == self.last_receipt()]
        codes = [line['code'] for line in lines]
        same([code for code in codes if code in PRICES], CODES, 'scanned, in order')
        same([code for code in codes if code in HAND], hand, 'typed, in order')
        sale, = [sale for sale in the_shop.export(taken, 'sales') if sale['receipt'] == self.last_receipt()]
        same(int(sale['total']), sum(PRICES.values()) + sum(HAND[code] for code in hand), 'total')
        return f'200 of 200 scans, 0 wrong, {(ended - begun) / 200_000:.1f} ms a code; 8 of 8 typed'

    def prints_on(self, name, printer, profile):
        """Sells and holds the paper's bytes against the journal's; returns how soon the first came."""
        if printer != USB[0]:
            self.stop()
            self.start(printer, profile)
        before = len(self.paper(name))
        pressed = self.sells(*CODES[:3])
        self.printed_once(name, profile, self.last_receipt())
        if name == 'lpt':
            return f'{len(self.paper(name)) - before} bytes'
        return f'first byte {self.in_time(name, before, pressed):.0f} ms after the key'

    def in_time(self, name, before, pressed):
        """Returns the milliseconds from a key to the first byte of paper; at most 300 are promised."""
        first = self.first_byte_after(name, before, pressed) / 1000
        assert first <= 300, f'first byte {first:.0f} ms after the key'
        return first

    def first_byte_after(self, name, before, pressed):
        first = before + self.paper(name)[before:].index(b'\x1b@')
        at = next(at for at, count in self.paper_times(name) if count > first)
        assert at > pressed, 'a paper comes after its key'
        return at - pressed

    def printed_once(self, name, profile, number):
        wanted = the_shop.receipt_bytes(self.take_out(), number, profile)
        count = lambda: the_shop.papers_of(self.paper(name)).count(wanted)
        until(f'{number} on {name}', lambda: count() > 0)
        same(count(), 1, f'{number} on {name}')

    def opens_the_drawer(self):
        """A pulse for each cash sale so far, and one for an opening without a sale."""
        self.command('no_sale check')
        until('a pulse', lambda: self.pulses() > self.sold)
        same(self.pulses(), self.sold + 1, 'pulses')
        return f'{self.sold} for sales, 1 for no_sale'

    def pulses(self):
        with open(f'{self.guest.shared}/p1.log') as log:
            return sum(line.endswith('pulse\n') for line in log)

    def closes_with_z(self):
        self.command('z_report')
        self.shows('Z')
        self.stop()
        taken = self.take_out()
        the_shop.regi(taken, 'verify')
        same(len(the_shop.export(taken, 'sales')), self.sold, 'sales')
        return f'{self.sold} sales, their chain verified'

    def learns_a_scanner(self):
        """One that nobody knows scans once for `regi devices --scan`; the running register takes it, and sells by it."""
        self.guest.sh('openvt -c 2 -s -- regi --shop /shops/main --lang en')
        self.guest.until_held(2)
        self.guest.sh('gadget keyboard scan3 1a86 e129 "Shop Brand" "2D Scanner" X3')
        node = self.guest.until_sh('[ -e /dev/hidg3 ] && grep -lx X3 /sys/class/input/event*/device/uniq').split('/')[4]
        # Nobody's own yet, it types into the console that is shown: not into the register's.
        self.guest.sh('''chvt 4; mkfifo /tmp/nobody_types; sleep 600 >/tmp/nobody_types &
regi --shop /shops/main --lang en devices --scan </tmp/nobody_types >/tmp/learned 2>&1 & echo $! >/tmp/learner''')
        try:
            self.guest.until_sh(f'ls -l /proc/$(cat /tmp/learner)/fd | grep -q "/{node}$"')
            self.guest.sh(f'far_side type /dev/hidg3 {CODES[0]}')
            self.guest.until_sh('grep -q 1a86 /shops/main/shop.toml')
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.guest.sh('cat /tmp/learned')}") from None
        self.guest.until_sh('grep -q "running register listens" /tmp/learned')
        self.guest.sh('kill $(cat /tmp/learner)')
        self.guest.until_held(3)
        self.guest.sh(f'far_side type /dev/hidg3 {CODES[1]}')
        self.shows('1 pcs')
        return self.guest.sh('grep -A3 1a86 /shops/main/shop.toml').replace('\n', ' ').strip()


def play(checks):
    counter = Counter()
    with counter.guest:
        checks.claim('the devices are there', counter.plug_everything)
        checks.claim('the day opens', counter.opens_the_day)
        checks.claim('200 codes at bus speed while a keyboard types', counter.two_hundred_codes_beside_a_keyboard)
        checks.claim('USB printer, by its serial: same bytes, once', counter.prints_on, 'p1', *USB)
        checks.claim('the drawer opens once for each sale, and for no_sale', counter.opens_the_drawer)
        scanner_faults.suffer(checks, counter)
        printer_faults.suffer(checks, counter)
        checks.claim('serial printer: same bytes, once', counter.prints_on, 'serial', 'serial:/dev/ttyS1?baud=115200', 'epson-tm-t20')
        checks.claim('network printer: same bytes, once', counter.prints_on, 'tcp', 'tcp:127.0.0.1:9100', 'epson-tm-t88')
        checks.claim('parallel printer: same bytes, once', counter.prints_on, 'lpt', 'dev:/dev/lp0', 'generic-80')
        checks.claim('the day closes with Z, and the journal verifies', counter.closes_with_z)
        checks.claim('a new scanner is learned by one scan', counter.learns_a_scanner)
