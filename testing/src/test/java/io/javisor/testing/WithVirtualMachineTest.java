package io.javisor.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Where no machine can run, classes are skipped with the reason, or fail where machines are required. */
class WithVirtualMachineTest {
    private final List<String> skipped = new ArrayList<>();
    private final List<TestExecutionResult> finished = new ArrayList<>();

    @AfterEach
    void noMoreRequired() {
        System.clearProperty(WithVirtualMachine.REQUIRED);
    }

    private void run(Class<?> testClass) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(testClass))
                .build();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionSkipped(TestIdentifier what, String reason) {
                skipped.add(reason);
            }

            @Override
            public void executionFinished(TestIdentifier what, TestExecutionResult result) {
                finished.add(result);
            }
        });
    }

    @Test
    void isSkippedAloudOrRuns() {
        Optional<String> unfit = Host.check().unfitForStockKernels();
        run(UnameCase.class);
        if (unfit.isPresent()) {
            assertThat(skipped).hasSize(1);
            assertThat(skipped.getFirst())
                    .startsWith("no virtual machine can run here: ")
                    .hasSizeGreaterThan(50);
        } else {
            assertThat(skipped).isEmpty();
        }
        assertThat(finished).allMatch(r -> r.getStatus() == TestExecutionResult.Status.SUCCESSFUL);
    }

    @Test
    void failsWhereMachinesAreRequired() {
        Optional<String> unfit = Host.check().unfitForStockKernels();
        System.setProperty(WithVirtualMachine.REQUIRED, "true");
        run(UnameCase.class);
        assertThat(skipped).isEmpty();
        assertThat(finished.stream().flatMap(r -> r.getThrowable().stream()).map(Throwable::getMessage))
                .hasSize(unfit.isPresent() ? 1 : 0)
                .allMatch(message -> message.contains(WithVirtualMachine.REQUIRED));
    }
}
