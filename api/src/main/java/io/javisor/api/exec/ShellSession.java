package io.javisor.api.exec;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Calls to the guest's shell, and the shell's being there at all. For one thread at a time.
 *
 * <p>The guest may be slow, or paused for hours. So silence alone means nothing: a shell counts as lost when it has taken what
 * was sent to it and then said nothing for long.
 */
final class ShellSession {
    /** Silence after which a shell that took a call is given up. A nested, emulated guest needs a second for a fork. */
    private static final long QUIET = TimeUnit.SECONDS.toNanos(15);

    /** The same, if it said something else instead: a new shell does not know the call, and complains. */
    private static final long QUIET_AFTER_NOISE = TimeUnit.SECONDS.toNanos(4);

    private static final long SLICE = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long FIRST_ATTEMPT = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_ATTEMPT = TimeUnit.SECONDS.toNanos(8);
    private static final int ATTEMPTS = 3;

    private final GuestLine line;
    private final FrameReader frames;
    private final SecureRandom random = new SecureRandom();
    private final String identity = token();
    private boolean established;
    private long sequence;

    ShellSession(GuestLine line, FrameReader frames) {
        this.line = line;
        this.frames = frames;
    }

    private String token() {
        byte[] bytes = new byte[6];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** What the guest sent besides answers: prompts, complaints, boot messages. */
    String noise() {
        return frames.noise();
    }

    /** Whether the shell answered last time. */
    boolean established() {
        return established;
    }

    /** The shell has to be won again before the next call. */
    void lose() {
        established = false;
    }

    /** Makes a shell listen, if there is one by then; false if there is none. */
    boolean establish(long deadline) throws InterruptedException {
        long attempt = FIRST_ATTEMPT;
        while (!established) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            // What an earlier attempt left on the line is still to be read: adding to it would help nobody.
            if (line.unread() == 0) {
                String nonce = token();
                frames.expect(nonce);
                long end = Math.min(deadline, System.nanoTime() + attempt);
                attempt = Math.min(2 * attempt, LONGEST_ATTEMPT);
                type(ShellScript.bootstrap(nonce), deadline);
                if (await(0, "h", end) != null) {
                    type(ShellScript.functions(identity, nonce), deadline);
                    Frame ready = await(0, "rf", Math.max(end, System.nanoTime() + LONGEST_ATTEMPT));
                    if (ready != null && ready.kind() == 'f') {
                        throw new ExecException(
                                "exec-no-room",
                                "the guest's shell found no folder to write to",
                                "mount a tmpfs on /tmp or /run in the guest",
                                null,
                                null);
                    }
                    established = ready != null;
                }
            } else {
                frames.next(Math.min(deadline, System.nanoTime() + SLICE));
            }
        }
        return true;
    }

    private @Nullable Frame await(long number, String kinds, long until) throws InterruptedException {
        Frame frame;
        do {
            frame = frames.next(until);
        } while (frame != null && (frame.sequence() != number || kinds.indexOf(frame.kind()) < 0));
        return frame;
    }

    private boolean type(String text, long deadline) throws InterruptedException {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return line.send(bytes, 0, bytes.length, deadline - System.nanoTime()) == bytes.length;
    }

    long nextSequence() {
        return ++sequence;
    }

    /**
     * Waits for an answer, as long as the guest may still give one.
     *
     * @return null if the shell took the call and fell silent, or the deadline passed
     */
    private @Nullable Frame answer(long number, String kinds, long deadline) throws InterruptedException {
        long quiet = System.nanoTime();
        boolean noisy = false;
        frames.takeNoisy();
        while (true) {
            long now = System.nanoTime();
            if (line.unread() > 0) {
                quiet = now;
            }
            noisy |= frames.takeNoisy();
            if (now - deadline >= 0 || now - quiet >= (noisy ? QUIET_AFTER_NOISE : QUIET)) {
                return null;
            }
            Frame frame = frames.next(Math.min(deadline, now + SLICE));
            if (frame != null && frame.sequence() == number && kinds.indexOf(frame.kind()) >= 0) {
                return frame;
            }
        }
    }

    /** Stores bytes in a file of the private folder; false if the shell is lost. */
    boolean put(char file, byte[] bytes, long deadline) throws InterruptedException {
        for (int block = 0; block * (long) ShellScript.PUT_BLOCK < bytes.length; block++) {
            long number = nextSequence();
            int from = block * ShellScript.PUT_BLOCK;
            if (!type(
                    "jv_p " + number + " " + file + " " + block + " "
                            + base64(Arrays.copyOfRange(
                                    bytes, from, Math.min(bytes.length, from + ShellScript.PUT_BLOCK)))
                            + "\n",
                    deadline)) {
                return false;
            }
            Frame answer = answer(number, "af", deadline);
            if (answer == null) {
                return false;
            }
            if (answer.kind() == 'f') {
                throw noRoom();
            }
        }
        return true;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static ExecException noRoom() {
        return new ExecException(
                "exec-no-room",
                "the guest could not store a program's input or output: its folder for it is full, or was removed",
                "give the guest more memory, or mount a larger tmpfs on /tmp",
                null,
                null);
    }

    /** Starts a script; false if the shell did not say that it did. */
    boolean start(long number, byte[] script, boolean withInput, long deadline) throws InterruptedException {
        String inline = "-";
        if (script.length <= ShellScript.PUT_BLOCK) {
            inline = base64(script);
        } else if (!put('c', script, deadline)) {
            return false;
        }
        if (!type("jv_r " + number + (withInput ? " 1 " : " 0 ") + inline + "\n", deadline)) {
            return false;
        }
        Frame answer = answer(number, "suf", deadline);
        if (answer != null && answer.kind() == 'f') {
            throw noRoom();
        }
        return answer != null && answer.kind() == 's';
    }

    /** How a wait for a program's end went. */
    enum Wait {
        DONE,
        TIME_UP,
        LOST
    }

    private @Nullable Frame done;

    /** Waits for a program's end, and asks now and then whether the shell still listens. */
    Wait awaitDone(long number, long deadline) throws InterruptedException {
        final long beat = TimeUnit.SECONDS.toNanos(5);
        final long suspicious = TimeUnit.SECONDS.toNanos(2);
        done = null;
        frames.takeNoisy();
        long asked = System.nanoTime();
        int unanswered = 0;
        long question = -1;
        while (true) {
            long now = System.nanoTime();
            if (now - deadline >= 0) {
                return Wait.TIME_UP;
            }
            boolean noisy = frames.takeNoisy();
            if (line.unread() > 0) {
                asked = now;
            } else if (now - asked >= (unanswered > 0 || noisy ? suspicious : beat)) {
                if (unanswered == 3) {
                    return Wait.LOST;
                }
                question = nextSequence();
                unanswered++;
                asked = now;
                type("jv_q " + question + "\n", deadline);
            }
            Frame frame = frames.next(Math.min(deadline, now + SLICE));
            if (frame != null && frame.sequence() == question && frame.kind() == 'b') {
                unanswered = 0;
            } else if (frame != null && frame.sequence() == number && frame.kind() == 'd') {
                done = frame;
                return Wait.DONE;
            }
        }
    }

    /** Tells the guest to kill the program that runs. Never waits long, so that it can be called when all is lost. */
    void kill() throws InterruptedException {
        type("\njv_k\n", System.nanoTime() + TimeUnit.SECONDS.toNanos(1));
    }

    /** What came with the end of a program: null if the bytes that follow it did not come whole. */
    @Nullable
    Ending ending(long number) throws InterruptedException {
        Frame frame = done;
        if (frame == null || frame.numbers().length != 5) {
            return null;
        }
        long[] n = frame.numbers();
        if (n[0] > 255 || n[3] > ShellScript.INLINE || n[4] > ShellScript.INLINE || n[3] > n[1] || n[4] > n[2]) {
            return null;
        }
        byte[] out = block((int) n[3], false, number);
        byte[] err = out == null ? null : block((int) n[4], true, number);
        return out == null || err == null ? null : new Ending((int) n[0], n[1], n[2], out, err);
    }

    /** Reads raw bytes and, if asked, the frame that ends them; null if either does not come. */
    private byte @Nullable [] block(int length, boolean last, long number) throws InterruptedException {
        byte[] bytes = new byte[length];
        int done = 0;
        while (done < length) { // the time-out counts from the last bytes, not the first
            int n = Math.min(1024, length - done);
            if (!frames.data(bytes, done, n, System.nanoTime() + QUIET)) {
                return null;
            }
            done += n;
        }
        if (!last) {
            return bytes;
        }
        frames.takeNoisy();
        Frame end = frames.next(System.nanoTime() + QUIET);
        return end == null || end.sequence() != number || end.kind() != '.' || frames.takeNoisy() ? null : bytes;
    }

    /** Reads a block of an output file; tries again if noise got in between. Null if the shell is lost. */
    byte @Nullable [] get(char file, int block, int length) throws InterruptedException {
        for (int i = 0; i < ATTEMPTS; i++) {
            long number = nextSequence();
            if (!type("\njv_g " + number + " " + file + " " + block + "\n", System.nanoTime() + QUIET)) {
                return null;
            }
            if (answer(number, "c", Long.MAX_VALUE / 2 + System.nanoTime() / 2) == null) {
                return null;
            }
            byte[] bytes = block(length, true, number);
            if (bytes != null) {
                return bytes;
            }
        }
        return null;
    }

    /** Lets the guest forget the outputs of the last program. */
    void forget() throws InterruptedException {
        type("jv_z\n", System.nanoTime() + QUIET);
    }

    /**
     * How a program ended.
     *
     * @param exitCode 0 to 255
     * @param outSize bytes of stdout
     * @param errSize bytes of stderr
     * @param out all of stdout if it is small, else nothing
     * @param err all of stderr if it is small, else nothing
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Ending(int exitCode, long outSize, long errSize, byte[] out, byte[] err) {}
}
