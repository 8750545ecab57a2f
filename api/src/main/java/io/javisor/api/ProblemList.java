package io.javisor.api;

import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong with a description, so that all of it is said at once. */
final class ProblemList {
    private final List<SpecException.Problem> problems = new ArrayList<>();

    void add(String path, String message) {
        problems.add(new SpecException.Problem(path, message));
    }

    boolean isEmpty() {
        return problems.isEmpty();
    }

    void throwIfAny(String machine) {
        if (!problems.isEmpty()) {
            throw new SpecException(machine, problems);
        }
    }
}
