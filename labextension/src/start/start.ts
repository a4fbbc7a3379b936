import { ILab } from '../lab/lab';

export function addStart(lab: ILab): void {
  void lab;
}
