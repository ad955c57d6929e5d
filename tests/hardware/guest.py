"""A machine in QEMU: started, spoken to through a shell of its own, worked by keys, and cut off.

Room: tests. May touch: one QEMU process and its folder under target/hardware.
Invariant: it ends what it starts, and nothing else.
"""
import base64
import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

from initramfs import MACHINE, WORK


def until(what, is_so, patience=20.0):
    """Asks again and again until the answer is something; returns it."""
    begun = time.monotonic()
    while True:
        answer = is_so()
        if answer:
            return answer
        if time.monotonic() - begun > patience:
            raise TimeoutError(f'{what}: not within {patience:.0f} s')
        time.sleep(0.05)


def accelerator():
    """Returns 'kvm' where a kernel really starts with it: a /dev/kvm that opens proves nothing."""
    known = MACHINE / 'accelerator'
    if not known.exists():
        known.write_text('kvm' if kvm_starts_a_kernel() else 'tcg')
    return known.read_text()


def kvm_starts_a_kernel():
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return False
    log = MACHINE / 'kvm.log'
    tried = subprocess.Popen(
        ['qemu-system-x86_64', '-accel', 'kvm', '-cpu', 'host', '-m', '256', '-nodefaults', '-display', 'none', '-no-reboot',
         '-kernel', MACHINE / 'vmlinux', '-append', 'console=ttyS0 panic=-1', '-serial', f'file:{log}'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return bool(until('a kernel under KVM', lambda: log.exists() and b'Linux version' in log.read_bytes(), 6))
    except TimeoutError:
        return False
    finally:
        tried.kill()
        tried.wait()


# HID usages: the modifiers, then the keys pressed with them.
CTRL, SHIFT, ALT, GUI = 'e0', 'e1', 'e2', 'e3'
FUNCTION = {number: f'{0x39 + number:02x}' for number in range(1, 13)}
LETTER = {letter: f'{4 + ord(letter) - ord("a"):02x}' for letter in 'abcdefghijklmnopqrstuvwxyz'}
SYSRQ = '46'

KEYBOARD = 'keyboard hand 04d9 0024 Holtek Keyboard H1'
SCANNERS = [
    'keyboard scan1 0c2e 0b61 Honeywell "Barcode Scanner" 18123B4567',
    'keyboard scan2 05e0 1200 "Zebra Technologies" DS2208 S2']
# Theirs, and of those that the register learns.
MAKERS = '0c2e|05e0|1a86|1d57'


def disk(path):
    """Returns the arguments of a disk that is as it was at every start."""
    return ['-drive', f'file={path},format=raw,if=none,id=disk,snapshot=on', '-device', 'virtio-blk-pci,drive=disk']


class Monitor:
    """QEMU's own control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        until('the monitor', lambda: self.connects(path))
        self.lines = self.socket.makefile('rw')
        json.loads(self.lines.readline())
        self('qmp_capabilities')

    def connects(self, path):
        try:
            self.socket.connect(path)
            return True
        except OSError:
            return False

    def __call__(self, order, **arguments):
        self.lines.write(json.dumps({'execute': order, 'arguments': arguments}) + '\n')
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            if 'error' in answer:
                raise RuntimeError(f"{order}: {answer['error']['desc']}")
            if 'return' in answer:
                return answer['return']

    def press(self, *keys, hold=0.02):
        """Presses keys of the PS/2 or USB keyboard together, by their QEMU names."""
        event = lambda key, down: {'type': 'key', 'data': {'down': down, 'key': {'type': 'qcode', 'data': key}}}
        self('input-send-event', events=[event(key, True) for key in keys])
        time.sleep(hold)
        self('input-send-event', events=[event(key, False) for key in reversed(keys)])
        time.sleep(hold)


class Guest:
    """A running machine. `with Guest(...) as guest:` ends it whatever happens."""

    def __init__(self, initramfs, arguments=(), memory=256, words='', kernel=MACHINE / 'vmlinux', display=('-vga', 'std')):
        self.folder = tempfile.mkdtemp(prefix='guest.', dir=WORK)
        self.shared = os.path.join(self.folder, 'shared')
        os.mkdir(self.shared)
        fast = accelerator() == 'kvm'
        machine = ['-accel', 'kvm', '-cpu', 'host'] if fast else ['-accel', 'tcg,thread=single,tb-size=128', '-icount', 'shift=2', '-cpu', 'max']
        command = [
            'qemu-system-x86_64', '-M', 'pc', *machine, '-m', str(memory), '-smp', '1', '-nodefaults', '-no-reboot',
            '-display', 'none', *display, '-kernel', kernel,
            '-append', f'console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off {words}',
            '-serial', f'file:{self.folder}/console.log', '-qmp', f'unix:{self.folder}/monitor,server=on,wait=off',
            '-chardev', f'socket,id=shell,path={self.folder}/shell,server=on,wait=off',
            '-device', 'virtio-serial-pci', '-device', 'virtconsole,chardev=shell',
            '-virtfs', f'local,path={self.shared},mount_tag=host,security_model=none',
            *[str(argument).replace('@FOLDER@', self.folder) for argument in arguments]]
        if initramfs:
            command += ['-initrd', initramfs]
        self.started = time.monotonic()
        self.errors = open(f'{self.folder}/qemu.err', 'w')
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        self.shell, self.heard = None, b''
        try:
            self.monitor = Monitor(f'{self.folder}/monitor')
        except Exception:
            self.end()
            raise RuntimeError(open(f'{self.folder}/qemu.err').read()) from None

    def ready(self, patience=120):
        """Waits for the shell; returns the seconds since the power came on."""
        if self.shell is None:
            self.shell = socket.socket(socket.AF_UNIX)
            self.shell.connect(f'{self.folder}/shell')
            self.hear(rb'\x1eready\x1e\r?\n', patience)
            self.boot_seconds = time.monotonic() - self.started
        return self.boot_seconds

    def hear(self, end, patience):
        begun = time.monotonic()
        while not (match := re.search(end, self.heard)):
            left = patience - (time.monotonic() - begun)
            if left <= 0 or self.process.poll() is not None:
                raise TimeoutError(f'the guest says no more after {self.heard[-400:]!r}\n{self.console()}')
            if select.select([self.shell], [], [], min(left, 0.5))[0]:
                self.heard += self.shell.recv(65536)
        said, self.heard = self.heard[:match.start()], self.heard[match.end():]
        return said, match

    def try_sh(self, command, patience=60):
        """Runs a command there; returns its exit code and what it printed."""
        self.ready()
        self.shell.sendall(base64.b64encode(command.encode()) + b'\n')
        said, match = self.hear(rb'\x1e(\d+)\x1e\r?\n', patience)
        return int(match[1]), said.decode('utf-8', 'replace').replace('\r\n', '\n')

    def sh(self, command, patience=60):
        """Runs a command there that must succeed; returns what it printed."""
        code, said = self.try_sh(command, patience)
        if code:
            raise RuntimeError(f'exit code {code} of: {command}\n{said}')
        return said

    def until_sh(self, command, patience=20):
        """Repeats a command until it succeeds; returns what it printed."""
        def answer():
            code, said = self.try_sh(command)
            return (said or ' ') if code == 0 else None
        return until(command, answer, patience)

    def plug(self, *gadgets, patience=20):
        """Plugs in gadgets: KEYBOARD, the scanners, what else there is; the first keyboard is /dev/hidg0."""
        keyboards = sum(gadget.startswith(('keyboard', 'touch')) for gadget in gadgets)
        self.sh('\n'.join(['gadget init 6', *(f'gadget {gadget}' for gadget in gadgets)]))
        self.until_sh(f'[ -e /dev/hidg{keyboards - 1} ]', patience)

    def until_held(self, scanners, patience=20):
        """Waits until the register holds so many scanners: until then they type into the console."""
        # By their makers: what else is plugged in may be open for a moment, to be looked at.
        self.until_sh(f'''held=0
for fd in /proc/$(pidof regi)/fd/*; do
  node=$(readlink $fd)
  case $node in /dev/input/event*) grep -qE '{MAKERS}' /sys/class/input/${{node##*/}}/device/id/vendor && held=$((held + 1)) ;; esac
done
[ $held = {scanners} ]''', patience)

    def console(self):
        try:
            return open(f'{self.folder}/console.log', errors='replace').read()[-800:]
        except OSError:
            return ''

    def picture(self, path):
        self.monitor('screendump', filename=str(path), format='png')

    def end(self):
        """Cuts the power."""
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.end()
        if kind is None and not os.environ.get('KEEP_GUEST'):
            shutil.rmtree(self.folder, ignore_errors=True)
