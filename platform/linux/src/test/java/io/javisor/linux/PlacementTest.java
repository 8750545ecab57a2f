package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class PlacementTest {
    private static BitSet node(int number) {
        BitSet nodes = new BitSet();
        nodes.set(number);
        return nodes;
    }

    @Test
    void boundMemoryLiesOnItsNode() {
        try (HostFile file = HostFile.memory("bound", PageSize.KIB_4);
                Mapping mapping = MappingTest.map(file, 1 << 20)) {
            MemoryPolicy bind = new MemoryPolicy(MemoryPolicy.Mode.BIND, node(0));
            bind.apply(mapping.segment(), false);
            assertThat(MemoryPolicy.of(mapping.segment())).isEqualTo(bind);
            assertThat(PagePlacement.nodes(mapping.segment(), 4096))
                    .hasSize(256)
                    .containsOnly(-Errno.ENOENT);
            mapping.advise(0, 16 << 10, Advice.POPULATE_WRITE);
            assertThat(PagePlacement.nodes(mapping.segment().asSlice(0, 20 << 10), 4096))
                    .containsExactly(0, 0, 0, 0, -Errno.ENOENT);
            bind.apply(mapping.segment(), true);
            assertThat(PagePlacement.move(mapping.segment().asSlice(0, 4096), 4096, 0))
                    .containsExactly(0);
            MemoryPolicy.DEFAULT.apply(mapping.segment(), false);
            assertThat(MemoryPolicy.of(mapping.segment())).isEqualTo(MemoryPolicy.DEFAULT);
        }
    }

    @Test
    void nodeThatIsNotThereIsRefused() {
        try (HostFile file = HostFile.memory("bound", PageSize.KIB_4);
                Mapping mapping = MappingTest.map(file, 4096)) {
            assertThatThrownBy(
                            () -> new MemoryPolicy(MemoryPolicy.Mode.BIND, node(1000)).apply(mapping.segment(), false))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                    .hasMessageContainingAll("mbind", "4096 bytes", "1000", "EINVAL");
            assertThatThrownBy(() -> PagePlacement.move(mapping.segment(), 4096, 1000))
                    .isInstanceOf(LinuxException.class)
                    .hasMessageContaining("move_pages");
        }
    }

    @Test
    void policiesAreChecked() {
        assertThatThrownBy(() -> new MemoryPolicy(MemoryPolicy.Mode.BIND, new BitSet()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new MemoryPolicy(MemoryPolicy.Mode.DEFAULT, node(0)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new MemoryPolicy(MemoryPolicy.Mode.BIND, node(1024)))
                .isInstanceOf(IllegalArgumentException.class);
        MemorySegment none = MemorySegment.NULL;
        assertThat(PagePlacement.nodes(none, 4096)).isEmpty();
        assertThatThrownBy(() -> PagePlacement.nodes(none, 1000)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void threadPolicyGoesRound() throws Exception {
        FutureTask<MemoryPolicy> task = new FutureTask<>(() -> {
            new MemoryPolicy(MemoryPolicy.Mode.PREFERRED, node(0)).applyToThread();
            return MemoryPolicy.ofThread();
        });
        Thread.ofPlatform().start(task);
        assertThat(task.get()).isEqualTo(new MemoryPolicy(MemoryPolicy.Mode.PREFERRED, node(0)));
    }

    @Test
    void openFileLimitGoesRoundAndIsFelt() {
        OpenFileLimit limit = OpenFileLimit.get();
        assertThat(limit.soft()).isPositive();
        assertThat(limit.hard()).isGreaterThanOrEqualTo(limit.soft());
        try {
            new OpenFileLimit(limit.soft() - 1, limit.hard()).set();
            assertThat(OpenFileLimit.get().soft()).isEqualTo(limit.soft() - 1);
        } finally {
            limit.set();
        }
        assertThatThrownBy(() -> new OpenFileLimit(limit.hard(), limit.hard() - 1).set())
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }
}
