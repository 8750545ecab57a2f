package io.javisor.memory.balloon;

import io.javisor.memory.protocol.DmVersion;
import io.javisor.memory.protocol.GuestReport;
import io.javisor.partition.HypervisorException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a device told, as lines; sizes in pages. */
final class RecordedEvents implements BalloonListener {
    final List<String> lines = new ArrayList<>();

    @Nullable
    BalloonStatus status;

    BalloonStatus last() {
        BalloonStatus now = status;
        if (now == null) {
            throw new AssertionError("no status yet");
        }
        return now;
    }

    @Override
    public void ready(DmVersion version, GuestReport.Capabilities can) {
        lines.add("ready " + version + (can.balloon() ? " balloon" : "") + (can.hotAdd() ? " add" : "") + " "
                + (can.hotAddAlignment() >> 20));
    }

    @Override
    public void gone() {
        lines.add("gone");
    }

    @Override
    public void status(BalloonStatus now) {
        status = now;
    }

    @Override
    public void ballooned(long asked, long got) {
        lines.add("ballooned " + got / 4096 + " of " + asked / 4096);
    }

    @Override
    public void unballooned(long bytes) {
        lines.add("unballooned " + bytes / 4096);
    }

    @Override
    public void hotAdded(int node, long offered, long taken, boolean last) {
        lines.add("added " + node + ": " + taken / 4096 + " of " + offered / 4096 + (last ? " last" : ""));
    }

    @Override
    public void overdue(String request) {
        lines.add("overdue " + request);
    }

    @Override
    public void notOnline(long bytes) {
        lines.add("not online " + bytes / 4096);
    }

    @Override
    public void strayed(long bytes) {
        lines.add("strayed " + bytes / 4096);
    }

    @Override
    public void refused(HypervisorException why) {
        lines.add("refused " + why.code());
    }
}
