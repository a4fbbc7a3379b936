import './base.css';
import './projects.css';
import './now.css';
import './waiting.css';
import './experiments.css';
import './memory.css';
import './start.css';
import './main.css';
