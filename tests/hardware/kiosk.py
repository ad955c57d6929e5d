"""The package on a minimal Debian: booted, sold at by scanner, touch or keyboard, and pressed by sixty chords.

    tests/hardware/kiosk [kiosk|console|kmscon]        a longer run, by hand; pictures go to target/hardware/pictures

Room: tests. May touch: one guest. Wants root and mmdebstrap for the disk.
"""
import csv
import io
import struct
import subprocess
import sys
import time

import shop as the_shop
from checks import Checks, same
from guest import ALT, CTRL, FUNCTION, GUI, KEYBOARD, LETTER, SCANNERS, SHIFT, SYSRQ, Guest, disk, until
from initramfs import HERE, WORK

PICTURES = WORK / 'pictures'
CODES = the_shop.CODES
# Where the first row of the key line is, in thousandths of the glass.
KEY_LINE = 936
PRINT, PAUSE, SCROLL, MENU, POWER, DELETE, TAB, ESC, ENTER = SYSRQ, '48', '47', '65', '66', '4c', '2b', '29', '28'
# What is pressed between two looks.
CHORDS = [
    *[f'{CTRL}+{ALT}+{key}' for key in FUNCTION.values()],
    *[f'{ALT}+{key}' for key in ('50', '4f', '52', '51', TAB, '3d', ESC, '2c')],
    *[f'{ALT}+{SYSRQ}+{LETTER[key]}' for key in 'bcefikorsu'],
    ' '.join([f'{CTRL}+{ALT}+{DELETE}'] * 7),  # In one go: within two seconds.
    *[f'{CTRL}+{LETTER[key]}' for key in 'zcsqd'], f'{CTRL}+31',
    f'{CTRL}+{ALT}+2a', f'{CTRL}+{ALT}+{LETTER["t"]}', f'{CTRL}+{SHIFT}+{LETTER["n"]}', f'{CTRL}+{SHIFT}+{LETTER["r"]}',
    f'{CTRL}+{SHIFT}+{LETTER["o"]}', f'{CTRL}+{SHIFT}+{LETTER["u"]}', GUI, f'{GUI}+{LETTER["d"]}', f'{GUI}+{LETTER["l"]}',
    PRINT, PAUSE, SCROLL, MENU, POWER, f'{CTRL}+{SHIFT}+{ESC}', f'{ALT}+{LETTER["f"]}+3d', f'{CTRL}+{PAUSE}']


# What the card plays is written down here.
SOUND = 'sound.wav'
SOUND_CARD = ['-audiodev', f'wav,id=sound,path=@FOLDER@/{SOUND}', '-device', 'intel-hda', '-device', 'hda-output,audiodev=sound']
UNKNOWN = '4999999999999'


def loudest(path):
    """Returns the largest sample of a recording that may not have ended; 0 while there is none."""
    try:
        with open(path, 'rb') as sound:
            samples = sound.read()[44:]
    except OSError:
        return 0
    return max((abs(sample) for sample, in struct.iter_unpack('<h', samples[:len(samples) // 2 * 2])), default=0)


class Kiosk:
    """A machine that boots into the register on `screen`, and the programs that show it there."""

    def __init__(self, screen):
        PICTURES.mkdir(exist_ok=True)
        self.screen = screen
        self.shown_by = {'kiosk': 'regi cage foot', 'console': 'regi', 'kmscon': 'regi kmscon'}[screen]
        folder = WORK / screen
        self.guest = Guest(folder / 'initrd', memory=512, kernel=folder / 'vmlinuz',
            words='root=/dev/vda rw systemd.show_status=no vt.global_cursor_default=0',
            display=['-device', 'virtio-vga,xres=1024,yres=768'],
            arguments=[*disk(folder / 'disk'), *SOUND_CARD])

    def boots_into_the_register(self):
        """Waits for the first picture of the register; returns what it took in the guest's own time."""
        self.guest.ready(patience=600)
        # The register opens this door once its first picture is drawn; looked for there, often.
        started = float(self.guest.sh("until [ -S /var/lib/regi/shop/control.sock ]; do sleep 0.1; done; cut -d' ' -f1 /proc/uptime", patience=600))
        self.picture('booted')
        memory = self.guest.sh("awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo").strip()
        return f'{started:.1f} s after the kernel began, {memory} MB of 512 left'

    def picture(self, name):
        time.sleep(3)  # A compositor draws when it likes; the picture is for people.
        self.guest.picture(PICTURES / (f'{name}.png' if self.screen == 'kiosk' else f'{self.screen}_{name}.png'))

    def plugs_devices(self):
        self.guest.plug(KEYBOARD, SCANNERS[0], 'touch glass 222a 0001 ILITEK "ILITEK-TP" T1', patience=60)
        self.guest.until_held(1, patience=90)
        if self.screen != 'kiosk':
            return
        # Until the screen holds it, the glass tells nobody where it is touched.
        self.guest.until_sh('''for node in /dev/input/event*; do
  udevadm info $node | grep -q ID_INPUT_TOUCHSCREEN=1 && ls -l /proc/$(pidof cage)/fd | grep -q "$node$" && exit 0
done
exit 1''', patience=90)

    def sales(self):
        said = self.guest.sh('runuser -u regi -- regi --shop /var/lib/regi/shop --lang en export sales')
        return said.count('\n') - 1

    def codes_sold(self):
        said = self.guest.sh('runuser -u regi -- regi --shop /var/lib/regi/shop --lang en export lines')
        return [line['code'] for line in csv.DictReader(io.StringIO(said))]

    def sells_by_scanner_and_hand(self):
        self.guest.sh(f"far_side type /dev/hidg1 {' '.join(CODES[:3])}")
        self.picture('scanned')
        # The first key of the key line, low on the left, is the tender; on the tender it is the exact sum.
        touch, enter = f'far_side touch /dev/hidg2 40 {KEY_LINE}', f'far_side chord /dev/hidg0 {ENTER}'
        for sales, name in enumerate(('tender', 'sold')):
            self.guest.sh(touch if self.screen == 'kiosk' else enter)
            self.picture(name)
            same(self.sales(), sales, f'sales at {name}')
        same(self.codes_sold(), CODES[:3], 'codes sold')
        return 'one touch a step' if self.screen == 'kiosk' else 'one key a step'

    def is_heard(self):
        """A code that nobody knows: tones, or a ring of the bell where the machine has no player."""
        sound = f'{self.guest.folder}/{SOUND}'
        same(loudest(sound), 0, 'heard before')
        self.guest.sh(f'far_side type /dev/hidg1 {UNKNOWN}')
        until('a tone', lambda: loudest(sound) > 1000, 60)
        self.picture('unknown')
        return f'the loudest sample is {loudest(sound)} of 32,767'

    def pays(self):
        for _ in range(2):
            self.guest.sh(f'far_side chord /dev/hidg0 {ENTER}')
            time.sleep(3)

    def chords_lead_nowhere(self):
        # Without logind nobody would hear the power key.
        same(self.guest.sh('systemctl is-active systemd-logind').strip(), 'active', 'logind')
        before = self.guest.sh(f'pidof {self.shown_by}')
        booted = self.guest.sh('cat /proc/sys/kernel/random/boot_id')
        left = 0
        for chord in CHORDS:
            self.guest.sh(f'far_side chord /dev/hidg0 {chord}')
            if self.guest.try_sh(f'pidof {self.shown_by}')[1] != before or self.console() != 'tty1':
                left += 1
                print(f'     left by {chord}', flush=True)
        same(self.guest.sh('cat /proc/sys/kernel/random/boot_id'), booted, 'the boot')
        same(left, 0, 'chords that lead out')
        self.guest.sh(f'far_side chord /dev/hidg0 {ESC} {ESC}')
        self.guest.sh(f'far_side type /dev/hidg1 {CODES[4]}')
        self.picture('after_the_chords')
        self.pays()
        same(self.codes_sold()[4:], [CODES[4]], 'codes sold after the chords')
        return f"{sum(len(chord.split()) for chord in CHORDS)} chords, 0 lead out"

    def console(self):
        return self.guest.sh('cat /sys/class/tty/tty0/active').strip()

    def backs_up_to_a_stick(self):
        """A stick that is put in while the register runs takes a backup, although the service is shut in."""
        self.guest.sh('mkdir -p /media/stick && mount -t tmpfs -o uid=regi,mode=700 stick /media/stick')
        self.guest.sh('runuser -u regi -- regi --shop /var/lib/regi/shop backup /media/stick/shop.regi')
        return f"{self.guest.sh('stat -c %s /media/stick/shop.regi').strip()} bytes"

    def learns_a_scanner(self):
        """One of a maker whom the package does not name scans once for root: the account may open it, and sells by it."""
        self.guest.sh('gadget keyboard scan3 1d57 001c "Shop Brand" "2D Scanner" X3')
        node = self.guest.until_sh('[ -e /dev/hidg3 ] && grep -lx X3 /sys/class/input/event*/device/uniq', patience=60).split('/')[4]
        self.guest.sh('''mkfifo /tmp/nobody_types; sleep 600 >/tmp/nobody_types &
regi --shop /var/lib/regi/shop --lang en devices --scan </tmp/nobody_types >/tmp/learned 2>&1 & echo $! >/tmp/learner''')
        try:
            self.guest.until_sh(f'ls -l /proc/$(cat /tmp/learner)/fd | grep -q "/{node}$"', patience=60)
            # Nobody's own yet, it types into the register's screen as well: a code that sells nothing.
            self.guest.sh(f'far_side type /dev/hidg3 {UNKNOWN}')
            self.guest.until_sh('grep -q 1d57 /var/lib/regi/shop/shop.toml && grep -q 61-regi.rules /tmp/learned', patience=60)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.guest.sh('cat /tmp/learned')}") from None
        self.guest.sh('kill $(cat /tmp/learner)')
        self.guest.until_held(2, patience=60)
        self.guest.sh(f'far_side type /dev/hidg3 {CODES[3]}')
        self.picture('learned')
        self.pays()
        same(self.codes_sold()[3:], [CODES[3]], 'codes sold by it')
        return self.guest.sh('grep -h 1d57 /etc/udev/rules.d/61-regi.rules').strip()

    def comes_back(self):
        """The program is killed: another is there, and opens its door once its first picture is drawn."""
        before = self.guest.sh('pidof regi')
        self.guest.sh('rm /var/lib/regi/shop/control.sock; kill -9 $(pidof regi)')
        self.guest.until_sh('[ -S /var/lib/regi/shop/control.sock ]', patience=90)
        assert self.guest.sh('pidof regi') != before, 'the one that was killed'

    def told(self, more=''):
        return self.guest.sh(f'journalctl -q -b -u regi-{self.screen} -o cat {more}')

    def is_quiet(self):
        same(self.told(), '', 'said of the service in the journal of the machine')

    def tells_why_it_does_not_run(self):
        """A setting nobody knows: the register does not open, and the machine's journal hears why. Mended, it runs."""
        self.guest.sh("""cd /var/lib/regi/shop && cp shop.toml /tmp/shop.toml && sed -i '1i nonsense = 1' shop.toml
rm control.sock; kill -9 $(pidof regi)""")
        self.guest.until_sh(f'journalctl -q -b -u regi-{self.screen} -o cat -p err | grep shop.toml', patience=90)
        why = self.told('-p err | grep shop.toml | tail -1').strip()
        self.guest.sh('cat /tmp/shop.toml >/var/lib/regi/shop/shop.toml')
        self.guest.until_sh('[ -S /var/lib/regi/shop/control.sock ]', patience=90)
        return why


def main(words):
    checks = Checks()
    screen = words[0] if words else 'kiosk'
    shop = the_shop.make('kiosk_shop')
    (shop / 'shop.toml').write_text(the_shop.lane('file:', 'generic-80').replace('"en"', '"ja"'))
    subprocess.run([HERE / 'kiosk_root', shop, screen], check=True)
    kiosk = Kiosk(screen)
    with kiosk.guest:
        checks.claim('the machine boots into the register', kiosk.boots_into_the_register)
        checks.claim('scanner, keyboard and glass are there', kiosk.plugs_devices)
        checks.claim('a sale by scanner and by hand', kiosk.sells_by_scanner_and_hand)
        if screen == 'kiosk':
            checks.claim('a code that nobody knows is heard through the sound card', kiosk.is_heard)
        checks.claim('a backup to a stick, beside the register', kiosk.backs_up_to_a_stick)
        checks.claim('a scanner of no listed maker is learned by one scan, and sells', kiosk.learns_a_scanner)
        checks.claim('the chords of a bored child', kiosk.chords_lead_nowhere)
        checks.claim('the journal of the machine is quiet', kiosk.is_quiet)
        checks.claim('it comes back when it is killed', kiosk.comes_back)
        checks.claim('the journal of the machine hears why it does not run', kiosk.tells_why_it_does_not_run)
    return checks.sum()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
