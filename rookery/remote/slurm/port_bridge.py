"""Run on a compute node: a program that knows only ports, where nobody else on the node can reach its port.

The program gets a network of its own (network_namespaces(7)): its port is not the node's, and it reaches nothing but
itself. What connects to a socket of the user's own is carried to the port in there. Where the node does not let users
make such a network, nothing is started.

Arguments: the socket; the port; the program and its arguments.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
"""CLONE_NEWUSER and CLONE_NEWNET (unshare(2))."""

SET_FLAGS, UP = 0x8914, 0x41
"""SIOCSIFFLAGS; IFF_UP and IFF_RUNNING (netdevice(7))."""


def leave_network() -> None:
    """Go into a new network, with a loopback device alone; user and group stay what they are.

    Raises:
        OSError: The node does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_USER | NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", "%d %d 1" % (user, user)),
        ("gid_map", "%d %d 1" % (group, group)),
    ):
        with open("/proc/self/%s" % name, "w", encoding="ascii") as stream:
            stream.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        fcntl.ioctl(device, SET_FLAGS, struct.pack("16sH14x", b"lo", UP))


def carry(client: socket.socket, port: int) -> None:
    """Carry a connection to the program, as long as both sides talk."""
    with client, contextlib.suppress(OSError), connected(port) as server:
        back = threading.Thread(target=copy, args=(server, client), daemon=True)
        back.start()
        copy(client, server)
        back.join()


def connected(port: int) -> socket.socket:
    """Connect to the program, on whichever of the two addresses of the loopback device it listens."""
    with contextlib.suppress(OSError):
        return socket.create_connection(("127.0.0.1", port))
    return socket.create_connection(("::1", port))


def copy(source: socket.socket, target: socket.socket) -> None:
    """Carry data one way."""
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def accept(listener: socket.socket, port: int) -> None:
    """Take connections, each in a thread."""
    while True:
        client, _ = listener.accept()
        threading.Thread(target=carry, args=(client, port), daemon=True).start()


def main() -> int:
    """Start the program; return its exit status."""
    path, port, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(50)
    try:
        leave_network()
    except OSError as error:
        print("%s does not let users make a private network: %s." % (os.uname()[1], error.strerror))
        print("So other users of the node could connect to port %d. Make the program listen on $ROOKERY_SOCKET," % port)
        print("and leave out --port.")
        return 1
    program = subprocess.Popen(command, env=dict(os.environ, PORT=str(port)), stdin=subprocess.DEVNULL)

    def end(number: int, frame: object) -> None:  # noqa: ARG001
        with contextlib.suppress(OSError):  # it has ended already
            program.terminate()

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=accept, args=(listener, port), daemon=True).start()
    return program.wait()


if __name__ == "__main__":
    sys.exit(main())
