package io.javisor.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.memory.balancer.MachineClaim;
import io.javisor.memory.balloon.BalloonDriver;
import io.javisor.memory.balloon.DynamicMemoryDevice;
import io.javisor.memory.balloon.RecordedMemory;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.vmbus.guest.TestGuest;
import io.javisor.vmbus.protocol.VmBusVersion;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MemoryPoolTest {
    private static final long MIB = 1 << 20;
    private static final int PAGES = 256;

    private final List<Guest> guests = new ArrayList<>();
    private long limit = 1 << 30;
    private final MemoryPool pool = MemoryPool.builder()
            .reserve(0)
            .host(() -> new HostMemory(limit, limit - resident(), 0, List.of(limit - resident())))
            .build();

    private long resident() {
        return guests.stream().mapToLong(g -> g.memory.residentBytes(0)).sum();
    }

    /** A guest that needs what its test says, and keeps 16 MiB of its memory whatever it is asked. */
    private static final class Guest implements AutoCloseable {
        final TestGuest bus = new TestGuest(1, 4 << 20);
        final RecordedMemory memory;
        final MachineMemory machine;
        final DynamicMemoryDevice device;
        final BalloonDriver driver;
        long used;
        long hidden;

        Guest(MachineMemory machine, long boot, long growth) {
            this.machine = machine;
            memory = new RecordedMemory(
                    AddressSpacePlan.builder().node(boot, growth).build());
            for (AddressSpacePlan.Range r : memory.plan().bootMemory()) {
                for (long page = r.gpa() / 4096; page < r.end() / 4096; page++) {
                    memory.resident.add(page);
                }
            }
            device = machine.begin(memory, List.of(MachineClaim.ANY), bus.reactor());
            bus.bus().add(device);
            bus.connect(VmBusVersion.V5_3);
            driver = new BalloonDriver(bus, device);
            driver.connect(BalloonDriver.V3);
            memory.resident.stream().skip(16 * PAGES).forEach(driver.free::add);
        }

        void second() {
            long taken = (used + hidden) / 4096;
            driver.report(Math.max(0, driver.free.size() + 16 * PAGES - taken), used / 4096);
            bus.advance(Duration.ofSeconds(1));
            while (driver.work() > 0) {
                bus.run();
            }
        }

        @Override
        public void close() {
            device.close();
            machine.ended();
            bus.close();
        }
    }

    private Guest guest(String name, int weight) {
        long boot = 256 * MIB;
        MachineMemory machine = pool.join(id -> new MachineMemory(
                id,
                name,
                List.of(boot),
                DynamicMemory.of(
                        boot, d -> d.minimum(128 * MIB).maximum(1024 * MIB).weight(weight)),
                InstantSource.system()));
        Guest guest = new Guest(machine, boot, 768 * MIB);
        guests.add(guest);
        return guest;
    }

    private void seconds(int count) {
        for (int i = 0; i < count; i++) {
            guests.forEach(Guest::second);
            pool.round();
        }
    }

    @AfterEach
    void close() {
        guests.forEach(g -> pool.leave(g.machine));
        guests.forEach(Guest::close);
    }

    @Test
    void aMachineFollowsItsNeed() {
        Guest guest = guest("one", 5000);
        guest.used = 100 * MIB;
        seconds(30);
        assertThat(guest.machine.assigned()).as("no less than the minimum").isEqualTo(128 * MIB);
        assertThat(guest.machine.status()).isEqualTo(MemoryStatus.OK);
        assertThat(guest.machine.pressure()).isEqualTo(78);
        guest.used = 500 * MIB;
        seconds(1);
        assertThat(guest.machine.status()).isEqualTo(MemoryStatus.WARNING);
        seconds(8);
        assertThat(guest.machine.assigned())
                .as("its need and its buffer, and for a while what a need that rises on would use")
                .isBetween(600 * MIB, 756 * MIB);
        assertThat(guest.machine.status()).isEqualTo(MemoryStatus.OK);
        guest.used = 2000 * MIB;
        seconds(10);
        assertThat(guest.machine.assigned()).as("no more than there is").isLessThanOrEqualTo(1024 * MIB);
        guest.used = 200 * MIB;
        seconds(90);
        assertThat(guest.machine.assigned()).isBetween(240 * MIB, 256 * MIB);
        assertThat(guest.memory.residentBytes(0)).isEqualTo(guest.machine.assigned());
        assertThat(guest.machine.history()).isNotEmpty();
        assertThat(guest.machine.events())
                .hasAtLeastOneElementOfType(MemoryEvent.Ballooned.class)
                .hasAtLeastOneElementOfType(MemoryEvent.Unballooned.class)
                .hasAtLeastOneElementOfType(MemoryEvent.HotAdded.class);
    }

    @Test
    void whatIsInUseButNotReportedAsCommittedIsGivenToo() {
        Guest guest = guest("one", 5000);
        guest.used = 200 * MIB;
        guest.hidden = 120 * MIB;
        seconds(40);
        assertThat(guest.machine.demand()).as("as the guest reports it").isEqualTo(200 * MIB);
        assertThat(guest.machine.details().used()).isEqualTo(320 * MIB);
        assertThat(guest.machine.assigned()).as("what is in use, and a fifth").isBetween(380 * MIB, 400 * MIB);
        guest.hidden = 0;
        seconds(60);
        assertThat(guest.machine.assigned()).isBetween(236 * MIB, 256 * MIB);
    }

    @Test
    void aShortHostIsSharedInTheOrderOfWeights() {
        Guest low = guest("low", 1000);
        Guest middle = guest("middle", 3000);
        Guest high = guest("high", 6000);
        guests.forEach(g -> g.used = 900 * MIB);
        seconds(30);
        assertThat(low.machine.assigned()).isGreaterThanOrEqualTo(128 * MIB).isLessThan(middle.machine.assigned());
        assertThat(middle.machine.assigned()).isLessThan(high.machine.assigned());
        assertThat(resident()).isLessThanOrEqualTo(limit);
        assertThat(low.machine.status()).isEqualTo(MemoryStatus.WARNING);
    }

    @Test
    void aMachineThatStartsIsMadeRoomForOrRefusedWithTheNumbers() throws InterruptedException {
        limit = 700 * MIB;
        Guest first = guest("first", 5000);
        first.used = 150 * MIB;
        seconds(3);
        first.machine.change(d -> d.buffer(300));
        seconds(20);
        assertThat(first.machine.assigned()).isEqualTo(600 * MIB);
        MachineMemory next = pool.join(id -> new MachineMemory(
                id, "next", List.of(256 * MIB), DynamicMemory.of(256 * MIB, d -> {}), InstantSource.system()));
        assertThatThrownBy(() -> pool.admit(next, next.startup(), Duration.ZERO))
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo("memory-short"))
                .hasMessageContaining("needs 256 MiB")
                .hasMessageContaining("100 MiB are free");
        Thread waiter = Thread.ofVirtual().start(() -> pool.admit(next, next.startup(), Duration.ofSeconds(30)));
        for (int i = 0; i < 200 && waiter.isAlive(); i++) {
            first.second();
            Thread.sleep(20);
        }
        waiter.join();
        assertThat(next.promised()).isEqualTo(256 * MIB);
        assertThat(first.machine.assigned()).isLessThanOrEqualTo(444 * MIB);
        pool.leave(next);
    }

    @Test
    void limitsChangeByHyperVsRules() {
        Guest guest = guest("one", 5000);
        MachineMemory machine = guest.machine;
        machine.change(d -> d.minimum(64 * MIB).buffer(50).weight(0));
        assertThat(machine.limits().minimum()).isEqualTo(64 * MIB);
        assertThatThrownBy(() -> machine.change(
                        d -> d.minimum(128 * MIB).maximum(512 * MIB).buffer(1).weight(10_001)))
                .hasMessageContaining("minimum: can only be lowered")
                .hasMessageContaining("maximum: can only be raised")
                .hasMessageContaining("buffer: is 1 %")
                .hasMessageContaining("weight: is 10001");
        assertThatThrownBy(() -> machine.change(d -> d.reach(2048 * MIB))).hasMessageContaining("reach");
        machine.ended();
        machine.change(d -> d.minimum(128 * MIB).maximum(512 * MIB));
        assertThat(machine.limits().bufferPercent()).isEqualTo(50);
    }

    @Test
    void aTargetByHandHoldsUntilItIsLeftToThePool() {
        Guest guest = guest("one", 5000);
        guest.used = 100 * MIB;
        seconds(2);
        guest.machine.target(400 * MIB);
        seconds(20);
        assertThat(guest.machine.assigned()).isEqualTo(400 * MIB);
        assertThatThrownBy(() -> guest.machine.target(1026 * MIB)).hasMessageContaining("maximum");
        assertThatThrownBy(() -> guest.machine.target(100 * MIB)).hasMessageContaining("minimum");
        assertThatThrownBy(() -> guest.machine.target(List.of(1L, 2L))).hasMessageContaining("nodes");
        guest.machine.automatic();
        seconds(90);
        assertThat(guest.machine.assigned()).isEqualTo(128 * MIB);
    }
}
