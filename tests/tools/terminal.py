# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A program in a terminal of our own: what its screen shows, its keys, its size. Knows what ncurses sends to an xterm, screen,
linux or vt100; anything else is an error, since the screen would be wrong."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

SEQUENCE = re.compile(r"\x1b(?:\[([?>]?[0-9;]*)([A-Za-z@`])|[()][AB012]|([=>78DMEc])|\][^\x07]*\x07)")


class Terminal:
    def __init__(self, argv, term="xterm", rows=24, columns=80, environment=None):
        self.resize_lines(rows, columns)
        self.pending = ""
        self.is_alternate = False
        self.colours = False
        self.escapes = ""
        self.main, self.end = pty.openpty()
        self.set_size()
        self.before = termios.tcgetattr(self.end)
        self.status = None
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            fcntl.ioctl(self.end, termios.TIOCSCTTY, 0)
            for fd in 0, 1, 2:
                os.dup2(self.end, fd)
            os.closerange(3, 64)
            os.execvpe(argv[0], argv, {"PATH": os.environ["PATH"], "TERM": term, **(environment or {})})

    def resize_lines(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.lines = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0

    def set_size(self):
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def resize(self, rows, columns):
        self.resize_lines(rows, columns)
        self.set_size()

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)

    def send(self, keys):
        os.write(self.main, keys.encode())

    def kill(self, number):
        os.kill(self.pid, number)

    def read(self, seconds):
        if not select.select([self.main], [], [], seconds)[0]:
            return False
        self.pending += os.read(self.main, 65536).decode("utf-8", "replace")
        self.show()
        return True

    def wait_until(self, condition, seconds=10):
        deadline = time.monotonic() + seconds
        while not condition(self.text()):
            if time.monotonic() > deadline:
                raise AssertionError("never came on the screen:\n" + self.text())
            self.read(0.1)

    def wait_for(self, *texts, seconds=10):
        self.wait_until(lambda screen: all(text in screen for text in texts), seconds)

    def wait_for_end(self, seconds=10):
        """The exit status, negative if it was killed."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError("never ended; the screen:\n" + self.text())
        while self.read(0.05):
            pass
        return self.status

    def is_restored(self):
        return termios.tcgetattr(self.end) == self.before and not self.is_alternate

    # --- what comes

    def show(self):
        while self.pending:
            character = self.pending[0]
            if character == "\x1b":
                match = SEQUENCE.match(self.pending)
                if not match:
                    if len(self.pending) < 32:
                        return  # the rest is on its way
                    raise AssertionError(f"unknown sequence {self.pending[:32]!r}")
                self.pending = self.pending[match.end():]
                self.escapes += match.group()
                if match.group(2):
                    self.control(match.group(1), match.group(2))
                elif match.group(3) == "M":
                    self.row = max(0, self.row - 1)
                continue
            self.pending = self.pending[1:]
            self.put(character)

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row = min(self.rows - 1, self.row + 1)
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        elif character >= " ":
            if self.column == self.columns:
                self.column, self.row = 0, min(self.rows - 1, self.row + 1)
            self.lines[self.row][self.column] = character
            self.column += 1

    def blank(self, row, start, end):
        for column in range(start, min(end, self.columns)):
            self.lines[row][column] = " "

    def control(self, arguments, letter):
        if arguments.startswith(("?", ">")):
            if arguments in ("?1049", "?47", "?1047"):
                self.is_alternate = letter == "h"
            return
        numbers = [int(number or 0) for number in arguments.split(";")] if arguments else [0]
        count = max(1, numbers[0])
        if letter in "Hf":
            self.row = min(self.rows, max(1, numbers[0])) - 1
            self.column = min(self.columns, max(1, numbers[1] if len(numbers) > 1 else 1)) - 1
        elif letter == "J":
            for row in range(self.row + 1 if numbers[0] == 0 else 0, self.rows):
                self.blank(row, 0, self.columns)
            if numbers[0] == 0:
                self.blank(self.row, self.column, self.columns)
        elif letter == "K":
            self.blank(self.row, self.column if numbers[0] == 0 else 0,
                       self.column + 1 if numbers[0] == 1 else self.columns)
        elif letter == "X":
            self.blank(self.row, self.column, self.column + count)
        elif letter == "P":
            line = self.lines[self.row]
            self.lines[self.row] = (line[:self.column] + line[self.column + count:] + [" "] * count)[:self.columns]
        elif letter == "@":
            line = self.lines[self.row]
            self.lines[self.row] = (line[:self.column] + [" "] * count + line[self.column:])[:self.columns]
        elif letter == "b":
            last = self.lines[self.row][self.column - 1]
            for _ in range(count):
                self.put(last)
        elif letter == "d":
            self.row = min(self.rows, count) - 1
        elif letter in "G`":
            self.column = min(self.columns, count) - 1
        elif letter == "A":
            self.row = max(0, self.row - count)
        elif letter == "B":
            self.row = min(self.rows - 1, self.row + count)
        elif letter == "C":
            self.column = min(self.columns - 1, self.column + count)
        elif letter == "D":
            self.column = max(0, self.column - count)
        elif letter == "L":
            self.lines[self.row:] = ([[" "] * self.columns for _ in range(count)] + self.lines[self.row:])[:self.rows - self.row]
        elif letter == "M":
            kept = self.lines[self.row + count:]
            self.lines[self.row:] = kept + [[" "] * self.columns for _ in range(self.rows - self.row - len(kept))]
        elif letter == "m":
            self.colours |= any(30 <= number <= 47 and number != 39 for number in numbers)
        elif letter not in "rhlnct":
            raise AssertionError(f"unknown control {arguments}{letter}")
