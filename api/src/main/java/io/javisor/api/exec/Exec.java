package io.javisor.api.exec;

import io.javisor.api.exec.ShellSession.Ending;
import io.javisor.devices.ByteSink;
import io.javisor.devices.Serial16550;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;
import io.javisor.vmbus.socket.HvSockets;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs programs in a guest, one after another, through the shell on a serial port, and from the first program on through one on
 * a socket if the guest has what that takes. Safe from any thread: callers queue in order, and wait friendly to virtual threads.
 * It lives as long as one run of the machine.
 */
public final class Exec implements Stateful, AutoCloseable {
    /** How long a call waits for a shell to be there. */
    private static final long SHELL_PATIENCE = TimeUnit.SECONDS.toNanos(30);

    /** How long a killed program may take to be gone, once the guest has heard of it. */
    private static final long KILL_PATIENCE = TimeUnit.SECONDS.toNanos(20);

    /** How long a guest that started something that calls back may take to do so, and then its shell to answer. */
    private static final Duration CALL_BACK = Duration.ofSeconds(20);

    /** How long a guest that had nothing to call back with is not asked again: somebody may install it. */
    private static final long ASK_AGAIN = TimeUnit.SECONDS.toNanos(60);

    /** A shell that goes away may be the first sign of the run's end: how long that is waited for. */
    private static final long END_PATIENCE = TimeUnit.SECONDS.toNanos(5);

    private static final long CENTURY = Duration.ofDays(36_500).toNanos();

    private final String name;
    private final Supplier<String> ending;
    private final long shellPatience;
    private final Duration callBackPatience;
    private final Inbox inbox = new Inbox();
    private final ReentrantLock lock = new ReentrantLock(true);
    private final FrameReader frames = new FrameReader(inbox);
    private final CountDownLatch over = new CountDownLatch(1);
    private final String socketIdentity = ShellSession.token();
    private volatile @Nullable ShellSession session;
    private volatile @Nullable SocketShell socket; // set under the lock, closed from anywhere
    private volatile @Nullable CallBack callBack;
    private volatile @Nullable ExecTransport transport;
    private long askAt = System.nanoTime(); // guarded by lock

    /**
     * @param name of the machine, for error messages
     * @param ending asked, once the run is over, how it ended; for the error that callers get then
     */
    public Exec(String name, Supplier<String> ending) {
        this(name, ending, SHELL_PATIENCE, CALL_BACK);
    }

    Exec(String name, Supplier<String> ending, long shellPatienceNanos) {
        this(name, ending, shellPatienceNanos, CALL_BACK);
    }

    Exec(String name, Supplier<String> ending, long shellPatienceNanos, Duration callBackPatience) {
        this.name = name;
        this.ending = ending;
        this.shellPatience = shellPatienceNanos;
        this.callBackPatience = callBackPatience;
    }

    /** Where the serial port's output goes. */
    public ByteSink sink() {
        return inbox::write;
    }

    /** Gives it the port that the guest's shell is on; once, before the guest runs. */
    public void connect(Serial16550 port) {
        connect(new GuestLine() {
            @Override
            public int send(byte[] bytes, int offset, int length, long timeoutNanos) throws InterruptedException {
                return port.send(bytes, offset, length, timeoutNanos);
            }

            @Override
            public int unread() {
                return port.unread();
            }
        });
    }

    void connect(GuestLine line) {
        session = new ShellSession(line, frames);
    }

    /** Lets shells in the guest call back over its bus; once, before the guest runs. */
    public void connect(HvSockets sockets) {
        connect(new SocketCallBack(sockets));
    }

    void connect(CallBack way) {
        callBack = way;
    }

    /** By what way the last program went into the guest; empty if there was none yet. */
    public Optional<ExecTransport> transport() {
        return Optional.ofNullable(transport);
    }

    /**
     * Waits until a shell answers, so that {@link #run} works.
     *
     * @return false if the time was up first
     * @throws ExecException if the machine's run is over, the shell can't work, or the caller was interrupted
     */
    public boolean ready(Duration timeout) {
        long deadline = System.nanoTime() + Math.min(CENTURY, saturated(timeout));
        try {
            if (!lock.tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return false;
            }
            try {
                return serial().establish(deadline);
            } finally {
                lock.unlock();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (FrameReader.LineClosedException e) {
            throw ended(e);
        }
    }

    /**
     * Runs a program and waits for its end. What it has left in the background goes on.
     *
     * @throws ExecException if it could not be run to its end; the code says why
     */
    public ExecResult run(ExecRequest request) {
        try {
            lock.lockInterruptibly();
            try {
                return runLocked(request);
            } finally {
                lock.unlock();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (FrameReader.LineClosedException e) {
            throw ended(e);
        }
    }

    /** A program that runs. */
    private record Started(ShellSession shell, long number) {}

    private ExecResult runLocked(ExecRequest request) throws InterruptedException {
        Started started = start(request);
        ShellSession shell = started.shell;
        long number = started.number;
        long begun = System.nanoTime();
        boolean timedOut = false;
        Ending ending;
        try {
            ShellSession.Wait how = shell.awaitDone(number, begun + Math.min(CENTURY, saturated(request.timeout())));
            if (how == ShellSession.Wait.TIME_UP) {
                timedOut = true;
                shell.kill();
                how = shell.awaitDone(number, System.nanoTime() + KILL_PATIENCE);
            }
            if (how != ShellSession.Wait.DONE) {
                shell.lose();
                throw timedOut
                        ? timeout(request, null, "; the guest did not confirm that it was killed")
                        : lost("went away while a program ran", shell);
            }
            ending = shell.ending(number);
        } catch (InterruptedException e) {
            abandon(shell);
            throw e;
        }
        Duration time = Duration.ofNanos(System.nanoTime() - begun);
        if (ending == null) {
            shell.lose();
            throw lost("sent an end of a program that makes no sense", shell);
        }
        return collect(shell, request, ending, time, timedOut);
    }

    /** Brings a program into the guest and starts it. Tries a second time only as long as nothing can have been run. */
    private Started start(ExecRequest request) throws InterruptedException {
        String script = ShellScript.program(request);
        byte[] input = request.stdinShared();
        ShellSession shell = serial();
        long number = -1;
        for (int attempt = 0; attempt < 2; attempt++) {
            ShellSession best = best();
            if (best != shell || number < 0) { // so that a shell which runs it after all refuses the second attempt
                shell = best;
                number = shell.nextSequence();
            }
            try {
                if (shell.put('i', input) && shell.start(number, script, input.length > 0)) {
                    transport = shell == serial() ? ExecTransport.SERIAL : ExecTransport.SOCKET;
                    return new Started(shell, number);
                }
                shell.lose();
                if (shell != serial()) {
                    break; // another shell would not know whether this one runs it
                }
            } catch (InterruptedException e) {
                abandon(shell);
                throw e;
            }
        }
        throw lost("took a program and did not start it", shell);
    }

    /** The shell to use: one on a socket if there can be one, else that on the serial port. Established. */
    private ShellSession best() throws InterruptedException {
        SocketShell here = socket;
        if (here != null) {
            try {
                if (here.session().established() && here.session().answers()) {
                    return here.session();
                }
            } catch (FrameReader.LineClosedException e) {
                if (over.getCount() == 0) {
                    throw e;
                } // else it is gone between two programs, which costs nothing: the guest was restored, or has a new
                // kernel
            }
            hangUp();
        }
        ShellSession serial = serial();
        if (transport == ExecTransport.SOCKET && serial.established() && !serial.answers()) {
            serial.lose(); // it went with the socket: another kernel has booted
        }
        if (!serial.establish(System.nanoTime() + shellPatience)) {
            throw new ExecException(
                    "exec-no-shell",
                    "no shell answered on the second serial port of \"" + name + "\" within "
                            + TimeUnit.NANOSECONDS.toSeconds(shellPatience) + " s" + evidence(serial),
                    "start one there, for example: setsid sh </dev/ttyS1 >/dev/ttyS1 2>&1",
                    null,
                    null);
        }
        CallBack way = callBack;
        if (way != null && askAt - System.nanoTime() <= 0 && way.isPossible()) {
            SocketShell called = call(way, serial);
            if (called != null) {
                return called.session();
            }
            if (serial.established()) {
                askAt = System.nanoTime() + ASK_AGAIN;
            } else if (!serial.establish(System.nanoTime() + shellPatience)) {
                throw lost("went away", serial);
            }
        }
        return serial;
    }

    /** Has the guest call back; null if it can't. */
    private @Nullable SocketShell call(CallBack way, ShellSession serial) throws InterruptedException {
        try (CallBack.Waiting waiting = way.listen()) {
            if (!serial.callBack(waiting.port())) {
                return null;
            }
            CallBack.Connection connection = waiting.accept(callBackPatience);
            if (connection == null) {
                return null;
            }
            var shell = new SocketShell(connection, socketIdentity, name);
            socket = shell;
            if (over.getCount() == 0) {
                shell.close(); // whoever closed us may not have seen it
            }
            if (shell.session().establish(System.nanoTime() + callBackPatience.toNanos())) {
                return shell;
            }
        } catch (IOException | FrameReader.LineClosedException e) {
            if (over.getCount() == 0) {
                throw new FrameReader.LineClosedException();
            }
        } catch (InterruptedException e) {
            serial.lose(); // its answer may still come
            hangUp();
            throw e;
        }
        hangUp();
        return null;
    }

    /** Ends the shell on the socket, if there is one. */
    private void hangUp() {
        SocketShell here = socket;
        socket = null;
        if (here != null) {
            here.close();
        }
    }

    private ExecResult collect(ShellSession shell, ExecRequest request, Ending ending, Duration time, boolean timedOut)
            throws InterruptedException {
        var out = new Output(request.stdoutTo(), request.outputLimit());
        var err = new Output(request.stderrTo(), request.outputLimit());
        boolean whole;
        try {
            whole = fetch(shell, 'o', ending.outSize(), ending.out(), out)
                    && fetch(shell, 'e', ending.errSize(), ending.err(), err);
            if (whole && ending.outSize() + ending.errSize() > ShellScript.INLINE) {
                shell.forget();
            }
        } catch (InterruptedException e) {
            shell.lose();
            throw e;
        } catch (IOException e) {
            throw new ExecException(
                    "exec-output", "could not pass a program's output on: " + e.getMessage(), null, null, e);
        }
        var result = new ExecResult(ending.exitCode(), out.bytes(), err.bytes(), time, timedOut);
        if (!whole) {
            shell.lose();
        }
        if (timedOut) {
            throw timeout(request, result, "");
        }
        if (!whole) {
            throw new ExecException(
                    "exec-shell-lost", "the guest's shell went away while its output was read", null, result, null);
        }
        if (out.cut() || err.cut()) {
            throw new ExecException(
                    "exec-output-limit",
                    "program printed " + ending.outSize() + " bytes to stdout and " + ending.errSize()
                            + " to stderr; the limit is " + request.outputLimit(),
                    "raise outputLimit, or send the output to a stream",
                    result,
                    null);
        }
        return result;
    }

    private static boolean fetch(ShellSession shell, char file, long size, byte[] inline, Output to)
            throws IOException, InterruptedException {
        if (inline.length == size) {
            to.add(inline);
            return true;
        }
        long wanted = Math.min(size, to.room());
        int most = shell.getBlock();
        for (long at = 0; at < wanted; at += most) {
            byte[] block = shell.get(file, Math.toIntExact(at / most), (int) Math.min(most, size - at));
            if (block == null) {
                return false;
            }
            to.add(block);
        }
        to.cutIf(wanted < size);
        return true;
    }

    /** An output of a program on its way to the result or to a stream. */
    private static final class Output {
        private final @Nullable OutputStream to;
        private final int limit;
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private boolean cut;

        Output(@Nullable OutputStream to, int limit) {
            this.to = to;
            this.limit = limit;
        }

        long room() {
            // A guest may claim any size; blocks are numbered by an int.
            return to == null ? limit : (long) Integer.MAX_VALUE * ShellScript.GET_BLOCK;
        }

        void add(byte[] bytes) throws IOException {
            if (to != null) {
                to.write(bytes);
                return;
            }
            int n = Math.min(bytes.length, limit - kept.size());
            kept.write(bytes, 0, n);
            cut |= n < bytes.length;
        }

        void cutIf(boolean more) {
            cut |= more;
        }

        boolean cut() {
            return cut;
        }

        byte[] bytes() {
            return kept.toByteArray();
        }
    }

    /** The caller gives up: the program is killed, and the shell has to be won again. */
    private static void abandon(ShellSession shell) {
        shell.lose();
        try {
            shell.kill();
        } catch (FrameReader.LineClosedException e) {
            // a shell on a socket has gone, and its program with it
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // interrupted again: then the program goes on until its shell is won
        }
    }

    private ShellSession serial() {
        ShellSession shell = session;
        if (shell == null) {
            throw new IllegalStateException("exec of \"" + name + "\" has no serial port yet");
        }
        return shell;
    }

    private static long saturated(Duration timeout) {
        return timeout.compareTo(Duration.ofNanos(CENTURY)) > 0 ? CENTURY : timeout.toNanos();
    }

    private ExecException timeout(ExecRequest request, @Nullable ExecResult captured, String more) {
        return new ExecException(
                "exec-timeout",
                request.command() + " in \"" + name + "\" took longer than "
                        + request.timeout().toMillis() + " ms and was killed" + more,
                null,
                captured,
                null);
    }

    private ExecException lost(String what, ShellSession shell) {
        return new ExecException(
                "exec-shell-lost", "the guest's shell in \"" + name + "\" " + what + evidence(shell), null, null, null);
    }

    private static String evidence(ShellSession shell) {
        String noise = shell.noise().strip();
        return noise.isEmpty() ? "; the port is silent" : "; the port's last words:\n" + noise;
    }

    private ExecException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new ExecException(
                "exec-interrupted", "interrupted while running a program in \"" + name + "\"", null, null, e);
    }

    /** A line has ended: the serial port's with the run; a socket's perhaps because the guest ended its shell. */
    private ExecException ended(FrameReader.LineClosedException e) {
        hangUp();
        try {
            if (!over.await(END_PATIENCE, TimeUnit.NANOSECONDS)) {
                return new ExecException(
                        "exec-shell-lost",
                        "the guest's shell in \"" + name + "\" went away while a program ran; it was on a socket",
                        null,
                        null,
                        e);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        return new ExecException(
                "exec-closed",
                "the run of \"" + name + "\" ended while a program was to be run: " + ending.get(),
                null,
                null,
                e);
    }

    @Override
    public String stateName() {
        return "exec";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    /** Writes what the guest's shell may still wait for; after the port that it is on. */
    @Override
    public void save(StateWriter out) {
        out.put("owed", serial().owed());
    }

    /** Makes the next call end what a program of before does, and win the shell that ran it. */
    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        serial().restore(in.getInt("owed", 0, ShellScript.PUT_BLOCK));
    }

    /** Ends all calls, now and later, with {@code exec-closed}. */
    @Override
    public void close() {
        over.countDown();
        inbox.close();
        SocketShell here = socket;
        if (here != null) {
            here.close();
        }
    }
}
