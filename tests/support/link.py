"""A link between a Unix socket and a server's Unix socket that a spec can break.

    python3 link.py LISTEN_SOCKET SERVER_SOCKET

Serves any number of connections and prints "ready" when it listens.
SIGUSR1: every connection is cut off on luamig's side; the server is told nothing.
SIGUSR2: what the servers of these connections say from here on is lost.
Connections made afterwards are whole.
"""
import ctypes
import os
import select
import signal
import socket
import sys

PR_SET_PDEATHSIG = 1

listen_path, server_path = sys.argv[1:3]
pairs = {}  # socket -> the other one
servers = set()
mute = set()  # servers that are not heard
kept = []  # servers whose clients are gone: they are not told


def cut():
    for server in list(servers):
        client = pairs.pop(server)
        del pairs[client]
        client.close()
        servers.discard(server)
        mute.discard(server)
        kept.append(server)


def silence():
    mute.update(servers)


def accept(listener):
    client, _ = listener.accept()
    server = socket.socket(socket.AF_UNIX)
    try:
        server.connect(server_path)
    except OSError:
        client.close()
        return
    pairs[client], pairs[server] = server, client
    servers.add(server)


def end(one):
    other = pairs.pop(one)
    del pairs[other]
    for each in (one, other):
        servers.discard(each)
        mute.discard(each)
        each.close()


def move(one):
    try:
        data = one.recv(65536)
        if data and one not in mute:
            pairs[one].sendall(data)
    except OSError:
        data = b""
    if not data:
        end(one)


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # it ends with the spec
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(listen_path)
    os.chmod(listen_path, 0o777)
    listener.listen(16)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)  # the number of each signal comes as a byte
    actions = {signal.SIGUSR1: cut, signal.SIGUSR2: silence}
    for number in actions:
        signal.signal(number, lambda *_: None)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([listener, wake_read, *pairs], [], [])
        for one in ready:
            if one is listener:
                accept(listener)
            elif one is wake_read:
                for number in os.read(wake_read, 100):
                    actions[number]()
            elif one in pairs:
                move(one)


main()
