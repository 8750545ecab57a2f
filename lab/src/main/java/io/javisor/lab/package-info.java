@NullMarked
package io.javisor.lab;

import org.jspecify.annotations.NullMarked;
