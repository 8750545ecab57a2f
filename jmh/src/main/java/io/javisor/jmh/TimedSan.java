package io.javisor.jmh;

import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.FibreChannelSan;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** A SAN that counts how long its commands take, from when a worker has them to when they are over. */
final class TimedSan implements FibreChannelSan {
    private final FibreChannelSan san;
    private final LongAdder nanos = new LongAdder();
    private final LongAdder commands = new LongAdder();

    TimedSan(FibreChannelSan san) {
        this.san = san;
    }

    /** Nanoseconds that a command has taken on average since the last call; not a number if there was none. */
    double take() {
        return (double) nanos.sumThenReset() / commands.sumThenReset();
    }

    @Override
    public String name() {
        return san.name();
    }

    @Override
    public FabricLogin login(String fabric, Wwn node, Wwn port, CopyDomain copies, Runnable changed) {
        FabricLogin login = san.login(fabric, node, port, copies, changed);
        return new FabricLogin() {
            @Override
            public @Nullable RemotePort at(int channel, int target) {
                RemotePort to = login.at(channel, target);
                return to == null ? null : new TimedPort(to);
            }

            @Override
            public List<SeenUnit> seen() {
                return login.seen();
            }

            @Override
            public void resume(List<SeenUnit> before) {
                login.resume(before);
            }

            @Override
            public void close() {
                login.close();
            }
        };
    }

    private final class TimedPort implements RemotePort {
        private final RemotePort to;

        TimedPort(RemotePort to) {
            this.to = to;
        }

        @Override
        public boolean answersFor(int lun) {
            return to.answersFor(lun);
        }

        @Override
        public ScsiResult execute(int lun, ScsiCommand command) {
            long begun = System.nanoTime();
            ScsiResult result = to.execute(lun, command);
            nanos.add(System.nanoTime() - begun);
            commands.increment();
            return result;
        }

        @Override
        public long pace(int lun, long bytes) {
            return to.pace(lun, bytes);
        }
    }
}
