package io.javisor.vmbus.server;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.ring.PageRuns;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;

/**
 * Descriptions of memory, in pieces. The input flips bits of a good one of three ranges. Run it by itself: one target fuzzes
 * per JVM.
 */
@Tag("fuzz")
class GpadlFuzzTest {
    private static final long BYTES = 64 * 4096;
    private static final GuestMemory MEMORY = new TestGuest(1, BYTES).memory();
    private static final long PAGE = TestGuest.MEMORY / 4096;
    private static final MemorySegment ONE = MemorySegment.ofArray(new byte[1]);

    @FuzzTest(maxDuration = "5m")
    void describe(byte[] data) {
        long[] words = {
            0x2000L, PAGE, PAGE + 1, 0x0000_0080_0000_1000L, PAGE + 5, PAGE + 9, 0x0000_0FFF_0000_0001L, PAGE + 63
        };
        int count = 3;
        int total = words.length;
        for (int i = 2; i < data.length && i - 2 < 8 * words.length; i++) {
            words[(i - 2) / 8] ^= (data[i] & 0xFFL) << (8 * ((i - 2) % 8));
        }
        if (data.length > 1) {
            count ^= data[0];
            total ^= data[1] & 0x3F;
        }
        Gpadl.Incomplete incomplete = new Gpadl.Incomplete(1, 1, count & 0xFFFF, total);
        List<Long> list = new ArrayList<>();
        for (long word : words) {
            list.add(word);
        }
        boolean fits = incomplete.add(list.subList(0, 3)) && incomplete.add(list.subList(3, list.size()));
        if (fits != (words.length <= total) || (fits && incomplete.isComplete() != (words.length == total))) {
            throw new AssertionError(total + " words of " + words.length);
        }
        if (!fits || !incomplete.isComplete()) {
            return;
        }
        try {
            Gpadl gpadl = incomplete.resolve(MEMORY);
            long sum = 0;
            int at = 0;
            for (PageRuns range : gpadl.ranges()) {
                long bytes = words[at] & 0xFFFF_FFFFL;
                long offset = words[at] >>> 32;
                if (range.length() != bytes || offset >= PageRuns.PAGE) {
                    throw new AssertionError(range.length() + " bytes for " + bytes + " at " + offset);
                }
                at += 1 + (int) ((offset + bytes + PageRuns.PAGE - 1) / PageRuns.PAGE);
                sum += bytes;
            }
            var buffer = gpadl.buffer();
            if (sum != buffer.length()
                    || sum == 0
                    || sum > BYTES
                    || gpadl.ranges().size() != (count & 0xFFFF)) {
                throw new AssertionError(sum + " bytes in " + gpadl.ranges().size() + " ranges");
            }
            buffer.read(0, ONE);
            buffer.write(sum - 1, ONE);
            if (gpadl.isRing() && sum % 4096 != 0) {
                throw new AssertionError("ring of " + sum);
            }
        } catch (GuestAddressException | IllegalArgumentException e) {
            // refused
        }
    }
}
