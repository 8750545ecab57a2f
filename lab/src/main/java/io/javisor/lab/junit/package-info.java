/**
 * JUnit tests that run in the lab. A class with {@link io.javisor.lab.junit.LabTest} is an ordinary Jupiter test class, but
 * not one of its methods, extensions or conditions runs here: on this side a test engine of its own
 * ({@link io.javisor.lab.junit.LabTestEngine}) lists the class, with Jupiter's eyes, and reports what a Jupiter in the lab
 * reports; the build tool and the IDE see each test by its name. One JVM in the lab runs many classes, and one lab serves
 * many of them.
 *
 * <p>Data enters and leaves by the standard streams of that JVM ({@code Wire}): test IDs go in; events, output and failures
 * come out, as text and numbers only.
 */
@NullMarked
package io.javisor.lab.junit;

import org.jspecify.annotations.NullMarked;
