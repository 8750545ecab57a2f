package io.javisor.lab.junit;

import io.javisor.lab.LabException;
import io.javisor.lab.LabSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Function;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.engine.ConfigurationParameters;
import org.junit.platform.engine.EngineDiscoveryRequest;
import org.junit.platform.engine.EngineExecutionListener;
import org.junit.platform.engine.ExecutionRequest;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestEngine;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.EngineDescriptor;
import org.junit.platform.engine.support.store.Namespace;
import org.junit.platform.engine.support.store.NamespacedHierarchicalStore;

/**
 * Runs classes with {@link LabTest}. It finds them as Jupiter does, and reports what Jupiter in the lab reports of them. If
 * there is no lab to be had, they are skipped aloud, unless the configuration parameter {@value #REQUIRED} or the
 * environment variable {@code CI} is {@code true}: then they fail. The launcher finds this engine by itself; in the lab it
 * lists nothing.
 */
public final class LabTestEngine implements TestEngine {
    /** Configuration parameter (hence also a system property): tests fail if there is no lab. */
    public static final String REQUIRED = "javisor.lab.required";
    /** Configuration parameter: the folder for consoles and records, {@code target/lab} if it is not set. */
    public static final String OUTPUT = "javisor.lab.output";

    /** The engine whose tests these are. */
    static final String JUPITER = "junit-jupiter";

    private static final Namespace NAMESPACE = Namespace.create(LabTestEngine.class);

    private final Function<LabSpec, AgentHost> starter;

    /** The engine that runs tests in the lab. */
    public LabTestEngine() {
        this(AgentHost::lab);
    }

    /** An engine that runs them elsewhere. */
    LabTestEngine(Function<LabSpec, AgentHost> starter) {
        this.starter = starter;
    }

    @Override
    public String getId() {
        return "javisor-lab";
    }

    @Override
    public TestDescriptor discover(EngineDiscoveryRequest request, UniqueId id) {
        EngineDescriptor root = new EngineDescriptor(id, "Javisor lab");
        if (!Agent.isInside()) {
            TestDescriptor found = jupiter().discover(new JupiterRequest(request, id), UniqueId.forEngine(JUPITER));
            for (TestDescriptor child : found.getChildren()) {
                if (LabDiscoveryFilter.isLabTest(child)) {
                    root.addChild(LabDescriptor.copy(child, id));
                }
            }
        }
        return root;
    }

    private static TestEngine jupiter() {
        return ServiceLoader.load(TestEngine.class, LabTestEngine.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .filter(engine -> engine.getId().equals(JUPITER))
                .findFirst()
                .orElseThrow(
                        () -> new IllegalStateException("the engine \"" + JUPITER + "\" is not on the class path"));
    }

    @Override
    public void execute(ExecutionRequest request) {
        TestDescriptor root = request.getRootTestDescriptor();
        EngineExecutionListener listener = request.getEngineExecutionListener();
        listener.executionStarted(root);
        try {
            for (Map.Entry<LabNeeds, List<LabDescriptor>> group : group(root).entrySet()) {
                execute(request, group.getKey(), group.getValue());
            }
            listener.executionFinished(root, TestExecutionResult.successful());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            listener.executionFinished(root, TestExecutionResult.failed(e));
        }
    }

    /** Classes that can share a lab, with what suffices for all of them. */
    private static Map<LabNeeds, List<LabDescriptor>> group(TestDescriptor root) {
        Map<LabNeeds, List<LabDescriptor>> groups = new LinkedHashMap<>();
        for (TestDescriptor child : root.getChildren()) {
            ClassSource source = (ClassSource) child.getSource().orElseThrow();
            LabNeeds needs = AnnotationSupport.findAnnotation(source.getJavaClass(), LabTest.class)
                    .map(LabNeeds::of)
                    .orElseThrow();
            LabNeeds shared =
                    groups.keySet().stream().filter(needs::fits).findFirst().orElse(needs);
            List<LabDescriptor> classes = new ArrayList<>();
            List<LabDescriptor> before = groups.remove(shared);
            if (before != null) {
                classes.addAll(before);
            }
            classes.add((LabDescriptor) child);
            groups.put(shared.and(needs), classes);
        }
        return groups;
    }

    private void execute(ExecutionRequest request, LabNeeds needs, List<LabDescriptor> classes)
            throws InterruptedException {
        LabPool pool = pool(request);
        RemoteRun run = new RemoteRun(
                pool,
                needs,
                classes,
                UniqueId.forEngine(getId()),
                request.getEngineExecutionListener(),
                request.getCancellationToken());
        try {
            run.run();
        } catch (LabException e) {
            if (e.code().equals("lab-unavailable") && !required(request.getConfigurationParameters())) {
                System.err.println("Lab tests are skipped: " + e.getMessage());
                run.skipOrFailRest(e, "no lab: " + e.getMessage());
            } else {
                run.skipOrFailRest(e, null);
            }
        }
    }

    private static boolean required(ConfigurationParameters parameters) {
        return parameters.getBoolean(REQUIRED).orElse("true".equals(System.getenv("CI")));
    }

    private LabPool pool(ExecutionRequest request) {
        Path output = Path.of(request.getConfigurationParameters().get(OUTPUT).orElse("target/lab"));
        NamespacedHierarchicalStore<Namespace> store = request.getStore();
        // The session's, so that it outlives the request.
        return store.getParent()
                .orElse(store)
                .computeIfAbsent(NAMESPACE, output, _ -> new LabPool(output, starter), LabPool.class);
    }
}
