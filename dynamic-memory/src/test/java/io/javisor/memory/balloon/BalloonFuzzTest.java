package io.javisor.memory.balloon;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.memory.protocol.DmProtocolException;
import io.javisor.memory.protocol.GuestReport;
import io.javisor.memory.protocol.PageRange;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;

/**
 * What a hostile guest may send, between what the host may ask. Whatever comes, pages are given up within the guest's memory
 * only, never twice, never more than asked, and the books add up. Run it by itself: one target fuzzes per JVM.
 */
@Tag("fuzz")
class BalloonFuzzTest {
    private static final long BOOT = 4096;
    private static final long ADDED = 1L << 15;

    @FuzzTest(maxDuration = "5m")
    void messages(byte[] data) {
        run(data);
    }

    /** Takes steps of the input: a byte of what is done, and for messages their bytes. */
    static void run(byte[] data) {
        PageLedger ledger = new PageLedger(2);
        ledger.add(new PageLedger.Area(new PageRange(16, BOOT), 0, false));
        var check = new Check(ledger);
        var session = new BalloonSession(ledger, check, BOOT + ADDED);
        int at = 0;
        boolean added = false;
        try {
            while (at < data.length) {
                int step = data[at++] & 0xFF;
                switch (step & 7) {
                    case 0 -> {
                        if (session.canTransfer()) {
                            check.wanted = step + 1L;
                            session.balloon(step + 1);
                        }
                    }
                    case 1 -> {
                        List<PageRange> ranges =
                                session.canTransfer() ? ledger.pick((step >> 3) % 3 - 1, step, step >> 3) : List.of();
                        if (!ranges.isEmpty()) {
                            check.gaveUp -=
                                    ranges.stream().mapToLong(PageRange::count).sum();
                            session.unballoon(ranges);
                        }
                    }
                    case 2 -> {
                        if (session.canAdd() && !added) {
                            added = true;
                            var pages = new PageRange(ADDED, 512);
                            ledger.add(new PageLedger.Area(pages, 1, true));
                            session.hotAdd(pages, new PageRange(ADDED, ADDED));
                        }
                    }
                    case 3 -> session.second();
                    default -> {
                        int length = Math.min(8 + (step >> 3) * 2, data.length - at);
                        byte[] message = Arrays.copyOfRange(data, at, at + length);
                        at += length;
                        if (length > 3) {
                            // A length that fits need not be found by chance; any other still can be.
                            message[2] ^= (byte) length;
                        }
                        session.received(GuestReport.decode(message));
                    }
                }
                check.books();
            }
        } catch (DmProtocolException e) {
            return; // the channel closes
        }
    }

    private static final class Check implements SessionListener {
        private final PageLedger ledger;
        private long wanted;
        private long gaveUp;

        Check(PageLedger ledger) {
            this.ledger = ledger;
        }

        void books() {
            if (ledger.balloonedPages() != gaveUp
                    || ledger.ballooned().stream().mapToLong(PageRange::count).sum() != gaveUp) {
                throw new AssertionError("the books say " + ledger.balloonedPages() + ", the guest gave " + gaveUp);
            }
        }

        @Override
        public void send(byte[] message) {
            if (message.length > GuestReport.MAX_BYTES) {
                throw new AssertionError("a message of " + message.length);
            }
        }

        @Override
        public void ready(GuestReport.Capabilities capabilities) {
            if (capabilities.hotAddAlignment() < 1 << 20) {
                throw new AssertionError("alignment " + capabilities.hotAddAlignment());
            }
        }

        @Override
        public void reported(GuestReport.Status status) {}

        @Override
        public void gaveUp(List<PageRange> ranges) {
            for (PageRange range : ranges) {
                boolean boot = range.first() >= 16 && range.end() <= 16 + BOOT;
                boolean hot = range.first() >= ADDED && range.end() <= ADDED + 512;
                if (!boot && !hot && range.count() > 0) {
                    throw new AssertionError("outside the guest's memory: " + range);
                }
                gaveUp += range.count();
                wanted -= range.count();
            }
            if (wanted < 0) {
                throw new AssertionError("more than was asked for");
            }
        }

        @Override
        public void balloonEnded(long asked, long got) {
            if (got > asked) {
                throw new AssertionError("more than was asked for");
            }
        }

        @Override
        public void unballoonEnded(long pages) {}

        @Override
        public void hotAddEnded(PageRange asked, long got, boolean never) {
            if (got > asked.count()) {
                throw new AssertionError("more than was offered");
            }
        }

        @Override
        public void overdue(String request) {}
    }
}
