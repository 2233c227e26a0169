#!/usr/bin/env python3
"""Records real programs for the tests of the screen: python3 record.py [name…]

Each one runs in a pseudo-terminal of 80 x 24 with TERM=xterm-256color, in a PID and UTS namespace
of its own and an empty home, so that nothing of the machine gets into the recording (needs root
for unshare). What the program writes is stored as it is in NAME.raw.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

COLS, ROWS = 80, 24
LIMIT = 24_000  # bytes of a recording

BASH = ["bash", "--norc", "-i"]

# name: (command, [(seconds to wait, keys)])
SESSIONS = {
    "bash": (BASH, [
        (0.3, "ls --color=always -la tree\n"), (0.3, "echo -e '\\e[1;31mred\\e[0m and \\e[4:3mcurly\\e[0m'\n"),
        (0.3, "for i in $(seq 40); do printf '\\e[3%dmline %d\\e[0m\\n' $((i % 8)) $i; done\n"),
        (0.3, "echo a long command line that is edit"), (0.1, "\x1b[D\x1b[D\x01\x1b[C\x1b[C\x1b[C"), (0.2, "XX\x05ed\x17twice\n"),
        (0.3, "clear\n"), (0.2, "printf 'tab\\tstops\\there\\n'; tput sc; tput cup 10 30; echo placed; tput rc; echo back\n"),
        (0.3, "exit\n")]),
    "vim": (["vim", "-u", "NONE", "-N", "--cmd", "syntax on | set number ruler hlsearch title", "tree/program.c"], [
        (0.5, "G"), (0.1, "oint added(void) { return 42; }\x1b"), (0.2, "/return\n"), (0.1, "n"), (0.1, "gg"), (0.1, "dd"), (0.1, "p"),
        (0.1, ":vsplit\n"), (0.2, "\x06\x02"), (0.1, ":set nowrap list\n"), (0.2, "\x17\x17"), (0.1, "v3j>"), (0.1, "u"),
        (0.1, ":help\n"), (0.3, "\x04\x04"), (0.1, ":qa!\n")]),
    "htop": (["htop", "-d", "5"], [(1.5, "\x1b[B\x1b[B"), (0.5, "t"), (0.6, "/ba"), (0.3, "\x1b"), (0.4, "\x1bOR"), (0.5, "\x1b"), (0.3, "q")]),
    "top": (["top", "-d", "0.5"], [(1.2, "z"), (0.7, "x"), (0.7, "1"), (0.7, "q")]),
    "less": (["less", "-R", "tree/colours.txt"], [
        (0.3, " "), (0.1, " "), (0.1, "b"), (0.1, "/line 1[0-9]\n"), (0.2, "n"), (0.1, "n"), (0.1, "G"), (0.1, "g"), (0.1, "-S\n"),
        (0.1, "\x1b[C"), (0.1, "jjjkkk"), (0.1, "h"), (0.2, "q"), (0.1, "q")]),
    "man": (["man", "bash"], [(1.5, " "), (0.2, " "), (0.2, "/history\n"), (0.3, "n"), (0.2, "G"), (0.3, "q")]),
    "tmux": (["tmux", "-f", "/dev/null", "new-session", "-x", "80", "-y", "24", "bash", "--norc", "-i"], [
        (0.5, "ls --color=always tree\n"), (0.3, "\x02%"), (0.4, "seq 30\n"), (0.3, "\x02\""), (0.4, "echo third pane\n"),
        (0.3, "\x02o"), (0.3, "\x02["), (0.2, "\x1b[A\x1b[A"), (0.2, "q"), (0.2, "\x02z"), (0.3, "\x02z"), (0.3, "\x02d")]),
    "git-log": (["git", "-C", "tree/repository", "-c", "core.pager=less -RF", "log", "--color=always", "--graph", "--stat", "-p"], [
        (0.4, " "), (0.1, " "), (0.1, "G"), (0.2, "q")]),
    "unicode": (["cat", "tree/unicode.txt", "tree/unicode.txt"], []),
    "progress": (["bash", "--norc", "tree/progress.sh"], []),
}

UNICODE = """\
CJK: 日本語のテキストと漢字、한국어 텍스트, 中文文本。
Half and full: ｱｲｳ アイウ ＡＢＣ
Emoji: 😀 👍🏽 👩\u200d👩\u200d👧\u200d👦 🇩🇪🇫🇷 ❤\ufe0f ☂ 1\ufe0f\u20e3 🏳\ufe0f\u200d🌈
Combining: e\u0301 n\u0303 a\u0308\u0323 x\u0336y\u0336z\u0336 नमस्ते สวัสดี العربية עברית
Boxes: ┌──┬──┐ │▒▒│██│ └──┴──┘ ╔═╗ ⠿⠷⠯
Wrapped: 日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語
Odd: a日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語
Mixed: 😀a👍🏽b🇩🇪c❤\ufe0fde\u0301f漢字g한글h 😀a👍🏽b🇩🇪c❤\ufe0fde\u0301f漢字g한글h 😀a👍🏽b🇩🇪c❤\ufe0fde\u0301f漢字g한글h
\x1b[7mInverse 日本語\x1b[0m \x1b[4mlined 한글\x1b[0m \x1b[44mblue 😀\x1b[K\x1b[0m
\x1b(0lqqqk\x1b(B drawn \x1b(0mqqqj\x1b(B \x1b]8;;https://example.org/a?b=c\x1b\\a link\x1b]8;;\x1b\\
"""

PROGRESS = r"""
for i in $(seq 0 4 100); do printf '\rWorking: \e[32m%3d%%\e[0m [%-50s]' $i "$(printf '#%.0s' $(seq $((i / 2 + 1))))"; done; echo
printf 'apt like\n\n\e7\e[0;23r\e8\e[1A'
for i in $(seq 0 10 100); do echo "Setting up package-$i ..."; printf '\e7\e[24;0f\e[42m\e[30mProgress: [%3d%%]\e[49m\e[39m [%s]\e8' $i "$(printf '#%.0s' $(seq $((i / 2 + 1))))"; done
printf '\e7\e[0;24r\e8\e[1A\e[J'
for i in 1 2 3 4 5 6; do for l in one two three; do printf '\e[2K%s %d\n' $l $i; done; printf '\e[3A'; done; printf '\e[3B'
printf '\e]2;done\a\e[?25l\e[5 qhidden\e[?25h\n'
"""


def prepare(home):
    tree = os.path.join(home, "tree")
    os.makedirs(os.path.join(tree, "folder"))
    with open(os.path.join(tree, "program.c"), "w") as file:
        file.write("#include <stdio.h>\n\n/* A comment. */\n")
        for at in range(40):
            file.write(f'static int function_{at}(int argument)\n{{\n\treturn argument * {at}; // "text"\n}}\n\n')
    with open(os.path.join(tree, "colours.txt"), "w") as file:
        for at in range(200):
            file.write(f"\x1b[3{at % 8}mline {at}\x1b[0m \x1b[1;4{at % 7}m of a coloured\x1b[0m file {'x' * (at % 90)}\n")
    with open(os.path.join(tree, "unicode.txt"), "w") as file:
        file.write(UNICODE)
    with open(os.path.join(tree, "progress.sh"), "w") as file:
        file.write(PROGRESS)
    os.symlink("program.c", os.path.join(tree, "link"))
    repository = os.path.join(tree, "repository")
    identity = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z"}
    identity |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in identity.items()}
    git = ["git", "-c", "init.defaultBranch=main", "-c", "core.hooksPath=/dev/null"]
    environment = {**os.environ, **identity, "HOME": home, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([*git, "init", "-q", repository], check=True, env=environment)
    for at in range(8):
        with open(os.path.join(repository, f"file{at % 3}"), "a") as file:
            file.write(f"change {at}\n" * (at + 1))
        subprocess.run([*git, "-C", repository, "add", "."], check=True, env=environment)
        subprocess.run([*git, "-C", repository, "commit", "-qm", f"change: number {at}"], check=True, env=environment)


def inside(command, home):
    environment = {
        "TERM": "xterm-256color", "HOME": "/home", "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
        "PS1": r"\[\e[1;32m\]ada@demo\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ ", "GIT_CONFIG_NOSYSTEM": "1", "TMUX_TMPDIR": "/tmp",
        "LESSHISTFILE": "-", "MANPAGER": "less",
    }
    quoted = " ".join("'" + part.replace("'", "'\\''") + "'" for part in command)
    script = f"hostname demo; mount --bind {home} /home; mount -t tmpfs none /tmp; cd /home; {quoted}"
    os.execvpe("unshare", ["unshare", "-pufm", "--mount-proc", "sh", "-c", script], environment)


def record(command, keys, home):
    pid, master = pty.fork()
    if pid == 0:
        inside(command, home)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
    output, due, plan = b"", time.monotonic(), list(keys)
    end = None
    if plan:
        due += plan[0][0] + 0.3
    while len(output) < LIMIT:
        now = time.monotonic()
        if plan and now >= due:
            os.write(master, plan.pop(0)[1].encode())
            due = now + (plan[0][0] if plan else 0)
            end = now + 3
        if not plan and end is None:
            end = now + 3
        if not plan and now > end:
            break
        if select.select([master], [], [], 0.02)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
    os.kill(pid, signal.SIGKILL)
    os.close(master)
    os.waitpid(pid, 0)
    return output[:LIMIT]


def main():
    for name in sys.argv[1:] or SESSIONS:
        command, keys = SESSIONS[name]
        with tempfile.TemporaryDirectory() as home:
            prepare(home)
            output = record(command, keys, home)
        with open(f"{name}.raw", "wb") as file:
            file.write(output)
        print(name, len(output))


main()
