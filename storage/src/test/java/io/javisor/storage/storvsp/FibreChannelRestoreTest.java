package io.javisor.storage.storvsp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.reactor.ThreadReactor;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.FibreChannelSan;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.vmbus.VmBus;
import io.javisor.vmbus.guest.TestGuest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A machine is restored at a fabric that takes its time to show the units that its guest has seen. */
class FibreChannelRestoreTest {
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final PortNames NAMES =
            new PortNames(NODE, Wwn.of("c003ff0000010000"), NODE, Wwn.of("c003ff0000010001"));
    private static final FabricLogin.SeenUnit UNIT =
            new FabricLogin.SeenUnit(0, 0, 3, "naa.6001405fc0000000", new byte[0]);

    private final ThreadReactor reactor = new ThreadReactor("shared");
    private final TestGuest guest = new TestGuest(1, 4 << 20, reactor);
    private List<FabricLogin.SeenUnit> shown = List.of(UNIT);

    @AfterEach
    void close() {
        guest.close();
        reactor.close();
    }

    /** A fabric that shows its unit when the reactor, which all machines share, has done something else. */
    private final class SlowSan implements FibreChannelSan {
        @Override
        public String name() {
            return "slow";
        }

        @Override
        public FabricLogin login(String fabric, Wwn node, Wwn port, CopyDomain copies, Runnable changed) {
            return new FabricLogin() {
                @Override
                public RemotePort at(int channel, int target) {
                    return RemotePort.unreachable();
                }

                @Override
                public List<SeenUnit> seen() {
                    return shown;
                }

                @Override
                public void resume(List<SeenUnit> before) {
                    if (!reactorWorks()) {
                        throw new StateException("the reactor stands still while a unit is waited for");
                    }
                    if (shown.size() < before.size()) {
                        throw new StateException("absent");
                    }
                }

                @Override
                public void close() {}
            };
        }
    }

    private boolean reactorWorks() {
        var done = new CountDownLatch(1);
        reactor.execute(done::countDown);
        try {
            return done.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private FibreChannelAdapter adapter() {
        var adapter = new FibreChannelAdapter(0, NAMES, WwnSet.A, Runnable::run, 0, new CopyDomain());
        adapter.connect(new SlowSan(), "");
        return adapter;
    }

    private StateReader saved(FibreChannelAdapter adapter) {
        guest.bus().add(adapter);
        guest.bus().pause(Duration.ofSeconds(30));
        var out = new StateWriter();
        guest.bus().save(out);
        return new StateReader(guest.bus().stateName(), guest.bus().stateVersion(), out.toByteArray());
    }

    @Test
    void whoSharesTheReactorIsNotHeldUp() {
        StateReader saved = saved(adapter());
        VmBus bus = guest.replaceBus();
        FibreChannelAdapter again = adapter();
        bus.add(again);
        bus.restore(saved);
        bus.resume();
        assertThat(again.san()).isPresent();
    }

    @Test
    void aUnitThatDoesNotComeEndsTheRestore() {
        StateReader saved = saved(adapter());
        VmBus bus = guest.replaceBus();
        bus.add(adapter());
        shown = List.of();
        assertThatThrownBy(() -> bus.restore(saved))
                .isInstanceOf(StateException.class)
                .hasMessage("absent");
    }
}
