package io.javisor.storage.scsi;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The live tokens of one disk: a few at most. Safe from any thread; a write costs nothing while there are none. */
final class Rods {
    /** Bytes of a token (SPC-4 table 111, ROD token of 512 bytes). */
    static final int TOKEN_BYTES = 512;

    /** The type that Windows asks for as well: a point in time, which a change of the data may end. */
    static final int POINT_IN_TIME = 0x00800000;

    static final int CHANGE_VULNERABLE = 0x00800001;

    /** A type whose token is the same everywhere and stands for zeroes (SBC-3 section 4.30.4). */
    static final int ZEROES = 0xFFFF0001;

    static final int MOST = 32;
    /** Inactivity time-outs in seconds: the default and the highest. */
    static final int DEFAULT_SECONDS = 30;

    static final int MOST_SECONDS = 300;

    private final List<Rod> live = new CopyOnWriteArrayList<>();
    private final SecureRandom random = new SecureRandom();

    /**
     * Makes a token.
     *
     * @param creator descriptor of the disk, 32 bytes
     */
    Rod make(int type, byte[] creator, List<Rod.Range> ranges, int seconds) {
        byte[] bytes = new byte[TOKEN_BYTES];
        random.nextBytes(bytes);
        ByteBuffer token = ByteBuffer.wrap(bytes);
        token.putInt(0, type).putShort(4, (short) 0).putShort(6, (short) (TOKEN_BYTES - 8));
        token.put(16, creator);
        token.putLong(48, 0);
        token.putLong(56, ranges.stream().mapToLong(Rod.Range::length).sum());
        int patience = seconds == 0 ? DEFAULT_SECONDS : Math.min(seconds, MOST_SECONDS);
        Rod rod = new Rod(bytes, ranges, System.nanoTime() + TimeUnit.SECONDS.toNanos(patience));
        synchronized (this) {
            expire();
            if (live.size() >= MOST) {
                live.removeFirst();
            }
            live.add(rod);
        }
        return rod;
    }

    private void expire() {
        long now = System.nanoTime();
        live.removeIf(rod -> rod.deadline() - now < 0);
    }

    @Nullable
    Rod find(byte[] token) {
        if (live.isEmpty()) {
            return null;
        }
        expire();
        for (Rod rod : live) {
            if (MessageDigest.isEqual(rod.token(), token)) { // takes the same time wherever they differ
                return rod;
            }
        }
        return null;
    }

    boolean isLive(Rod rod) {
        return live.contains(rod);
    }

    void remove(Rod rod) {
        live.remove(rod);
    }

    /** A range is about to change: what was there is no longer what any token stands for. */
    void changing(long offset, long length) {
        if (!live.isEmpty()) {
            live.removeIf(rod -> rod.touchedBy(offset, length));
        }
    }
}
