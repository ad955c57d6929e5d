"""The small guest's file system: busybox, kernel modules, the register and the far side of its cables.

Room: tests. May touch: target/hardware.
"""
import os
import stat
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOUSE = HERE.parent.parent
TARGET = Path(os.environ.get('CARGO_TARGET_DIR', HOUSE / 'target'))
WORK = HOUSE / 'target' / 'hardware'
MACHINE = WORK / 'machine'
REGI = TARGET / 'release' / 'regi'
FAR_SIDE = WORK / 'release' / 'far_side'

ALWAYS = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'evdev', 'usbhid', 'hid_generic']
DEVICES = ['libcomposite', 'usb_f_hid', 'usb_f_printer', 'usb_f_acm', 'usblp', 'cdc_acm', 'parport_pc', 'lp', 'pcspkr']
DISK = ['virtio_blk', 'ext4', 'crc32c_generic']


class Archive:
    """Writes a cpio archive of the kind the kernel unpacks, uncompressed: an emulated processor is slow."""

    def __init__(self, out):
        self.out, self.count, self.folders = out, 0, set()

    def entry(self, name, mode, data=b'', device=(0, 0)):
        self.count += 1
        name = name.strip('/').encode() + b'\0'
        fields = (self.count, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
        head = b'070701' + b''.join(b'%08X' % field for field in fields) + name
        self.out.write(head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4))

    def folder(self, path):
        parts = path.strip('/').split('/')
        for depth in range(1, len(parts) + 1):
            folder = '/'.join(parts[:depth])
            if folder and folder not in self.folders:
                self.folders.add(folder)
                self.entry(folder, stat.S_IFDIR | 0o755)

    def data(self, path, data, mode=0o644):
        self.folder(os.path.dirname(path))
        self.entry(path, stat.S_IFREG | mode, data)

    def file(self, source, path, mode=None):
        self.data(path, Path(source).read_bytes(), mode or stat.S_IMODE(os.stat(source).st_mode))

    def tree(self, source, path):
        for folder, _, files in os.walk(source):
            for name in files:
                whole = os.path.join(folder, name)
                self.file(whole, os.path.join(path, os.path.relpath(whole, source)))

    def end(self):
        self.entry('TRAILER!!!', 0)


def modules(names):
    """Returns the files of these modules and of all they need, those needed first."""
    base = next((MACHINE / 'kernel/lib/modules').iterdir())
    word = lambda path: os.path.basename(path).split('.ko')[0].replace('-', '_')
    needs, places = {}, {}
    for line in (base / 'modules.dep').read_text().splitlines():
        path, _, rest = line.partition(':')
        places[word(path)], needs[word(path)] = path, [word(need) for need in rest.split()]
    built_in = {word(line) for line in (base / 'modules.builtin').read_text().split()}
    found = []

    def add(name):
        if name in built_in or places.get(name) in found:
            return
        for need in needs[name]:
            add(need)
        found.append(places[name])

    for name in names:
        add(name.replace('-', '_'))
    return base, found


def libraries(program):
    """Returns the shared libraries a program wants, its loader among them."""
    words = subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout.split()
    return sorted({word for word in words if word.startswith('/')})


def build(name, load, trees=()):
    """Makes an initramfs that loads `load`; `trees` are (folder here, folder there). Returns its path."""
    path = WORK / f'{name}.cpio'
    base, files = modules(ALWAYS + list(load) + ['dummy_hcd'])
    there = f'lib/modules/{base.name}'
    with open(path, 'wb') as out:
        archive = Archive(out)
        for folder in ('bin', 'dev', 'proc', 'sys', 'tmp', 'root', 'mnt', 'host', 'opt', 'shops'):
            archive.folder(folder)
        archive.entry('dev/console', stat.S_IFCHR | 0o600, device=(5, 1))
        archive.entry('dev/null', stat.S_IFCHR | 0o600, device=(1, 3))
        archive.file('/bin/busybox', 'bin/busybox', 0o755)
        archive.entry('bin/sh', stat.S_IFLNK | 0o777, b'busybox')
        archive.file(HERE / 'guest/init', 'init', 0o755)
        archive.file(HERE / 'guest/shell', 'shell', 0o755)
        archive.file(HERE / 'guest/gadget', 'bin/gadget', 0o755)
        for module in files:
            archive.file(base / module, f'{there}/{module}')
        listed = [line for line in (base / 'modules.dep').read_text().splitlines(True) if line.split(':')[0] in files]
        archive.data(f'{there}/modules.dep', ''.join(listed).encode())
        for table in ('modules.alias', 'modules.symbols', 'modules.builtin', 'modules.order'):
            archive.file(base / table, f'{there}/{table}')
        archive.data('modules.list', '\n'.join(ALWAYS + list(load)).encode())
        for program in (REGI, FAR_SIDE):
            archive.file(program, f'bin/{program.name}', 0o755)
        for library in sorted({*libraries(REGI), *libraries(FAR_SIDE)}):
            archive.file(os.path.realpath(library), library, 0o755)
        for source, place in trees:
            archive.tree(source, place)
        archive.end()
    return path
