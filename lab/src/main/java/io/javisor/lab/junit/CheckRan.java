package io.javisor.lab.junit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Guards against a green build in which lab tests did not run: compares the lab tests in the tree with those that the lab
 * itself reported. A test that was skipped or aborted there counts as not run.
 */
public final class CheckRan {
    private CheckRan() {}

    /**
     * Exits with 0 if every lab test ran, else with 1 after naming those that did not.
     *
     * @param arguments the folder of test classes, the record that the run left ({@code target/lab/ran.txt}), then tags whose
     *     tests are not expected
     */
    public static void main(String[] arguments) throws IOException {
        Set<String> expected = inTree(Path.of(arguments[0]), Arrays.copyOfRange(arguments, 2, arguments.length));
        Set<String> missing = missing(expected, Path.of(arguments[1]));
        System.out.println(
                "lab tests: " + expected.size() + " in the tree, " + (expected.size() - missing.size()) + " ran");
        missing.forEach(id -> System.err.println("did not run in the lab: " + id));
        System.exit(missing.isEmpty() && !expected.isEmpty() ? 0 : 1);
    }

    /** Those of the tests that the record does not name. */
    static Set<String> missing(Set<String> expected, Path record) throws IOException {
        Set<String> missing = new TreeSet<>(expected);
        if (Files.exists(record)) {
            missing.removeAll(Set.copyOf(Files.readAllLines(record, StandardCharsets.UTF_8)));
        }
        return missing;
    }

    /** The lab's test methods in a folder of classes. */
    static Set<String> inTree(Path classes, String... excludedTags) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClasspathRoots(Set.of(classes)))
                .filters(
                        EngineFilter.includeEngines(new LabTestEngine().getId()),
                        ClassNameFilter.includeClassNamePatterns(ClassNameFilter.STANDARD_INCLUDE_PATTERN),
                        TagFilter.excludeTags(excludedTags))
                .build();
        TestPlan plan = LauncherFactory.create().discover(request);
        Set<String> found = new TreeSet<>();
        for (TestIdentifier root : plan.getRoots()) {
            for (TestIdentifier test : plan.getDescendants(root)) {
                if (plan.getChildren(test).isEmpty()) {
                    found.add(test.getUniqueId());
                }
            }
        }
        return found;
    }
}
