"""The largest shop on the smallest machine: started, scanned, paid, closed, with two busy programs beside it.

Room: tests. May touch: one guest, a disk of the shop that `cargo bench -- shop` made.
"""
import csv
import re
import statistics
import subprocess
import sys
from pathlib import Path

from checks import Checks, same
from counter import Counter
from guest import KEYBOARD, SCANNERS, Guest, accelerator, disk
from initramfs import DEVICES, DISK, WORK, build
from shop import lane

MEMORY_MB = 512
SCANS, FLOOD = 20, 100
# The first column of so many goods.
GOODS = 400


def first_codes(path, count):
    with open(path, encoding='utf-8') as file:
        return [row['code'] for row, _ in zip(csv.DictReader(file), range(count))]


def disk_of(shop):
    """Makes a disk of the shop, where the kept one is older."""
    kept = WORK / 'low_spec.disk'
    if not kept.exists() or kept.stat().st_mtime < (shop.parent / 'made').stat().st_mtime:
        size = int(subprocess.run(['du', '-sm', shop], capture_output=True, text=True, check=True).stdout.split()[0])
        making = WORK / 'low_spec.making'
        making.unlink(missing_ok=True)
        with open(making, 'wb') as file:
            file.truncate((size * 11 // 10 + 512) << 20)
        subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', '-m', '0', '-d', shop, making], check=True)
        making.rename(kept)
    return kept


class SmallMachine(Counter):
    def __init__(self, shop):
        self.codes = first_codes(shop.parent / 'items.csv', GOODS)
        self.member, = first_codes(shop.parent / 'members.csv', 1)
        self.sold = 0
        self.guest = Guest(build('low_spec', DEVICES + DISK), memory=MEMORY_MB, arguments=disk(disk_of(shop)))

    def is_there(self):
        self.guest.ready()
        self.guest.sh('mkdir -p /shops/main && mount -t ext4 -o noatime /dev/vda /shops/main')
        self.guest.plug(KEYBOARD, *SCANNERS)
        self.guest.until_sh('[ -e /dev/input/event2 ]')
        return f"{self.guest.sh('du -sh /shops/main').split()[0]} of shop, {self.free()} MB of {MEMORY_MB} free"

    def free(self):
        return int(self.guest.sh("awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo"))

    def memory(self):
        fields = self.guest.sh('cat /proc/$(pidof regi)/status')
        peak, anonymous = (int(re.search(rf'{name}:\s+(\d+)', fields)[1]) // 1024 for name in ('VmHWM', 'RssAnon'))
        return f'{anonymous} MB its own, {peak} MB at most with the files it reads, {self.free()} MB free'

    def timed(self, deed, shown, looks=2_000):
        """Does something; returns the seconds, in the guest's time, until the screen shows a pattern."""
        return float(self.guest.sh(f'''begun=$(cut -d' ' -f1 /proc/uptime)
{deed}
looks={looks}
until far_side screen /dev/vcsu2 80 | grep -q "{shown}"; do
  looks=$((looks - 1))
  [ $looks -gt 0 ] || {{ far_side screen /dev/vcsu2 80; exit 1; }}
done
ended=$(cut -d' ' -f1 /proc/uptime)
awk "BEGIN {{ print $ended - $begun }}"''', patience=300))

    def starts(self):
        self.guest.sh(f"cat >/shops/main/shop.toml <<'E'\n{lane('file:', 'generic-80')}E")
        took = self.timed('openvt -c 2 -s -- regi --shop /shops/main --lang en', 'Printer')
        self.guest.until_held(2)
        return f'{took:.1f} s to the first screen; {self.memory()}'

    def scans_one_by_one(self):
        times = [
            self.timed(f'far_side type /dev/hidg1 {code} >/dev/null', f'{number} pcs')
            for number, code in enumerate(self.codes[:SCANS], 1)]
        return f'{SCANS} goods, the line on the screen after {statistics.median(times):.2f} s (median), {max(times):.2f} s at most, the code itself taking some 0.02 s'

    def knows_the_member(self):
        took = self.timed(f'far_side type /dev/hidg1 {self.member} >/dev/null', 'Points')
        return f'one of a million on the screen after {took:.2f} s'

    def is_paid(self):
        """The tender is opened, then the exact sum is given. The first after a start waits for the year's chain."""
        self.types('')
        took = self.timed("far_side type /dev/hidg0 --gap-us 60000 '' >/dev/null", 'Change')
        return f'change on the screen after {took:.2f} s'

    def loses_no_scan_beside_busy_programs(self):
        goods = self.codes[SCANS:SCANS + FLOOD]
        self.guest.sh("for one in 1 2; do sh -c 'while :; do :; done' & done >/dev/null 2>&1; sleep 1")
        took = self.timed(f"far_side type /dev/hidg1 {' '.join(goods)} >/dev/null", f'{FLOOD} pcs')
        paid = self.is_paid()
        receipt = re.search(r'01-\d{6}', self.screen())[0]
        rung = self.guest.sh(f'regi --shop /shops/main --lang en export lines --from $(date -d @$(($(date +%s) - 86400)) +%F)', patience=300)
        codes = [line['code'] for line in csv.DictReader(rung.splitlines()) if line['receipt'] == receipt]
        same(codes, goods, 'rung up')
        self.guest.sh("kill $(ps | awk '/while :/ && !/awk/ { print $1 }')")
        return f'{FLOOD} of {FLOOD} at bus speed, 0 wrong, all on the screen {took:.1f} s after the first key; {paid}'

    def closes(self):
        self.chord('45')
        took = self.timed(f"far_side type /dev/hidg0 --gap-us 60000 z_report >/dev/null", 'Z0366\\|Z 01')
        return f'{took:.1f} s; {self.memory()}'


def main(words):
    checks = Checks()
    print(f'a guest of one processor and {MEMORY_MB} MB with {accelerator()}', flush=True)
    small = SmallMachine(Path(words[0]))
    with small.guest:
        checks.claim('the machine and its shop are there', small.is_there)
        checks.claim('the register starts', small.starts)
        checks.claim('goods are scanned', small.scans_one_by_one)
        checks.claim('a member is known', small.knows_the_member)
        checks.claim('the first sale is paid, once the year is checked', small.is_paid)
        checks.claim('no scan is lost beside two busy programs', small.loses_no_scan_beside_busy_programs)
        checks.claim('the day closes with Z', small.closes)
    return checks.sum()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
