package io.javisor.testing;

import io.javisor.api.CpuSpec;
import io.javisor.api.Host;
import io.javisor.api.HostCheck;
import io.javisor.api.HostReport;
import io.javisor.api.MachineBuilder;
import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.ReflectionSupport;

/** What {@link WithVirtualMachine} does. */
public final class VirtualMachineExtension
        implements ExecutionCondition, ParameterResolver, AfterTestExecutionCallback {
    private static final System.Logger LOG = System.getLogger(VirtualMachineExtension.class.getName());
    private static final Namespace NAMESPACE = Namespace.create(VirtualMachineExtension.class);
    private static final int TAIL_LINES = 40;

    /** Made by JUnit. */
    public VirtualMachineExtension() {}

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (context.getTestMethod().isPresent()) {
            return ConditionEvaluationResult.enabled("its class is");
        }
        return unfit(Host.check())
                .map(reason -> {
                    if (Boolean.getBoolean(WithVirtualMachine.REQUIRED)) {
                        throw new ExtensionConfigurationException("no virtual machine can run here, and "
                                + WithVirtualMachine.REQUIRED + " is set: " + reason);
                    }
                    String name = context.getDisplayName();
                    LOG.log(Level.WARNING, name + " is skipped, no virtual machine can run here: " + reason);
                    return ConditionEvaluationResult.disabled("no virtual machine can run here: " + reason);
                })
                .orElseGet(() -> ConditionEvaluationResult.enabled("virtual machines run here"));
    }

    private static Optional<String> unfit(HostReport host) {
        return host.unfitForStockKernels()
                .map(reason -> host.checks().stream()
                        .filter(c -> c.status() == HostCheck.Status.FATAL)
                        .findFirst()
                        .map(c -> c.what() + "; " + c.remedy())
                        .orElse(reason));
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == VirtualMachine.class;
    }

    @Override
    public VirtualMachine resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return running(context).machine;
    }

    /** The class's machine, made at the first need; the store closes it after the class's last test. */
    private static Running running(ExtensionContext context) {
        ExtensionContext ofClass = context;
        while (ofClass.getTestMethod().isPresent() && ofClass.getParent().isPresent()) {
            ofClass = ofClass.getParent().get();
        }
        Class<?> testClass = ofClass.getRequiredTestClass();
        return ofClass.getStore(NAMESPACE)
                .computeIfAbsent(Running.class, _ -> Running.boot(testClass, annotation(testClass)), Running.class);
    }

    /** Of the class or of one around it. */
    private static WithVirtualMachine annotation(Class<?> testClass) {
        for (Class<?> c = testClass; c != null; c = c.getEnclosingClass()) {
            Optional<WithVirtualMachine> found = AnnotationSupport.findAnnotation(c, WithVirtualMachine.class);
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw new ExtensionConfigurationException(testClass + " lacks @WithVirtualMachine");
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        if (context.getExecutionException().isPresent()) {
            ExtensionContext ofClass = context.getParent().orElse(context);
            Running running = ofClass.getStore(NAMESPACE).get(Running.class, Running.class);
            if (running != null) {
                context.publishReportEntry(
                        "the guest's console, its last lines",
                        running.machine.console().tail(TAIL_LINES));
            }
        }
    }

    /** A machine that the store closes. */
    private static final class Running implements AutoCloseable {
        private final VirtualMachine machine;

        private Running(VirtualMachine machine) {
            this.machine = machine;
        }

        static Running boot(Class<?> testClass, WithVirtualMachine wanted) {
            MachineBuilder builder = VirtualMachine.builder(testClass.getSimpleName())
                    .vcpus(wanted.vcpus())
                    .memory(MemorySize.parse(wanted.memory()))
                    .cpu(CpuSpec.parse(wanted.cpu()))
                    .linux(l -> {
                        l.debian(wanted.debian()).modules(wanted.modules());
                        if (!wanted.append().isBlank()) {
                            l.append(wanted.append());
                        }
                    });
            ReflectionSupport.newInstance(wanted.more()).accept(builder);
            VirtualMachine vm = builder.build();
            try {
                vm.start().await(Wait.forShell(), Duration.ofSeconds(wanted.bootTimeout()));
                return new Running(vm);
            } catch (RuntimeException | Error e) {
                vm.close();
                throw e;
            }
        }

        @Override
        public void close() {
            machine.close();
        }
    }
}
