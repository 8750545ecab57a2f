package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Finds the updates that a crash left in the log (sections 2.3.2 and 2.3.3) and brings them home. */
final class LogReplay {
    private final BackingFile file;
    private final LogEntry.Ring ring;
    private final List<LogEntry> active;

    /**
     * Reads the log.
     *
     * @throws DiskFormatException if it holds no complete sequence, or the file was cut short since
     */
    LogReplay(BackingFile file, Header header) {
        this.file = file;
        ring = new LogEntry.Ring(file, header.logOffset(), header.logLength());
        active = findActive(header.log());
        if (active.isEmpty()) {
            throw new DiskFormatException(
                    file.name(), header.logOffset(), "the log is in use but holds no complete sequence of entries");
        }
        if (file.size() < active.getLast().flushedFileOffset()) {
            throw new DiskFormatException(
                    file.name(),
                    file.size(),
                    "the file is cut short: its log says that it had "
                            + active.getLast().flushedFileOffset() + " bytes");
        }
    }

    private List<LogEntry> findActive(UUID guid) {
        List<LogEntry> best = List.of();
        for (long tail = 0; tail < ring.length(); ) {
            var run = new ArrayList<LogEntry>();
            long used = 0;
            long at = tail;
            while (used < ring.length()) {
                LogEntry entry = LogEntry.find(ring, at % ring.length(), guid);
                if (entry == null
                        || (!run.isEmpty() && entry.sequence() != run.getLast().sequence() + 1)
                        || used + entry.length() > ring.length()) {
                    break;
                }
                run.add(entry);
                used += entry.length();
                at += entry.length();
            }
            if (!run.isEmpty()) {
                LogEntry head = run.getLast();
                int from = 0;
                while (from < run.size() && run.get(from).at() != head.tail()) {
                    from++;
                }
                if (from < run.size()
                        && (best.isEmpty()
                                || Long.compareUnsigned(
                                                head.sequence(), best.getLast().sequence())
                                        > 0)) {
                    best = List.copyOf(run.subList(from, run.size()));
                }
            }
            tail += Math.max(used, Layout.PAGE);
        }
        return best;
    }

    /** How many updates there are. */
    long updates() {
        long sum = 0;
        for (LogEntry entry : active) {
            sum += entry.descriptors();
        }
        return sum;
    }

    /** Size that the file needs afterwards, in bytes. */
    long fileSize() {
        return Math.max(file.size(), active.getLast().lastFileOffset());
    }

    /** Gives all updates, oldest first. */
    void replay(LogEntry.Updates updates) {
        for (LogEntry entry : active) {
            entry.replay(ring, updates);
        }
    }

    /** Writes all updates to their places and flushes. */
    void replayInto(BackingFile target) {
        replay(new LogEntry.Updates() {
            @Override
            public void page(long fileOffset, byte[] page) {
                target.write(fileOffset, page);
            }

            @Override
            public void zero(long fileOffset, long length) {
                long end = Math.addExact(fileOffset, length);
                if (end > target.size()) {
                    target.resize(end);
                }
                if (length > 0) {
                    target.zero(fileOffset, length, false);
                }
            }
        });
        if (fileSize() > target.size()) {
            target.resize(fileSize());
        }
        target.flush();
    }
}
